// The Khronos validator on one GLB or glTF: exit status 1 on any error, warning or hint, and on any information but these: texture
// sizes are no powers of two (IMAGE_NPOT_DIMENSIONS), which only WebGL 1 minded and padding would pay for with bytes; the two
// extensions of the observations' table, which the validator does not know; and what only those two use, which it takes for unused.
// node validate.mjs MODEL          exit status 77 without the validator
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const { default: validator } = await import('gltf-validator').catch(() => {
  console.log('skipped: run `npm ci` in tests/browser first');
  process.exit(77);
});

const path = process.argv[2];
const extensions = ['EXT_mesh_features', 'EXT_structural_metadata'];
const used = await usedByExtensions();
const report = await validator.validateBytes(new Uint8Array(await readFile(path)), {
  uri: path,
  maxIssues: 0,
  externalResourceFunction: async (uri) => new Uint8Array(await readFile(join(dirname(path), decodeURIComponent(uri)))),
});
const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
for (const m of messages.filter((m) => !isExpected(m))) console.log(`${['error', 'warning', 'info', 'hint'][m.severity]} ${m.code} ${m.pointer ?? ''} ${m.message}`);
console.log(`${path}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints; ` +
            `${report.info.drawCallCount} draw calls, ${report.info.totalVertexCount} vertices, ` +
            `${report.info.totalTriangleCount} triangles, extensions ${report.info.extensionsUsed ?? 'none'}`);
const isFine = messages.every(isExpected) && !report.issues.truncated;
process.exit(numErrors + numWarnings + numHints === 0 && isFine ? 0 : 1);

function isExpected(m) {
  if (m.code === 'UNSUPPORTED_EXTENSION') return extensions.some((name) => m.message.includes(name));
  return m.code === 'IMAGE_NPOT_DIMENSIONS' || (m.code === 'UNUSED_OBJECT' && used.has(m.pointer));
}

// JSON pointers of the textures and buffer views that the two extensions refer to.
async function usedByExtensions() {
  const bytes = await readFile(path), isBinary = bytes.toString('latin1', 0, 4) === 'glTF';
  const root = JSON.parse(isBinary ? bytes.toString('utf8', 20, 20 + bytes.readUInt32LE(12)) : bytes.toString('utf8'));
  const pointers = new Set();
  for (const mesh of root.meshes)
    for (const primitive of mesh.primitives)
      for (const set of primitive.extensions?.EXT_mesh_features?.featureIds ?? []) pointers.add(`/textures/${set.texture.index}`);
  for (const table of root.extensions?.EXT_structural_metadata?.propertyTables ?? [])
    for (const { values, stringOffsets } of Object.values(table.properties))
      for (const view of [values, stringOffsets]) if (view !== undefined) pointers.add(`/bufferViews/${view}`);
  return pointers;
}
