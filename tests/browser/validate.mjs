// The Khronos validator on one GLB or glTF: exit status 1 on any error, warning or hint, and on any information but one: texture
// sizes are no powers of two (IMAGE_NPOT_DIMENSIONS), which only WebGL 1 minded and padding would pay for with bytes.
// node validate.mjs MODEL          exit status 77 without the validator
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const { default: validator } = await import('gltf-validator').catch(() => {
  console.log('skipped: run `npm ci` in tests/browser first');
  process.exit(77);
});

const path = process.argv[2];
const report = await validator.validateBytes(new Uint8Array(await readFile(path)), {
  uri: path,
  maxIssues: 0,
  externalResourceFunction: async (uri) => new Uint8Array(await readFile(join(dirname(path), decodeURIComponent(uri)))),
});
const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
for (const m of messages) console.log(`${['error', 'warning', 'info', 'hint'][m.severity]} ${m.code} ${m.pointer ?? ''} ${m.message}`);
console.log(`${path}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints; ` +
            `${report.info.drawCallCount} draw calls, ${report.info.totalVertexCount} vertices, ` +
            `${report.info.totalTriangleCount} triangles, extensions ${report.info.extensionsUsed ?? 'none'}`);
const isFine = messages.every((m) => m.code === 'IMAGE_NPOT_DIMENSIONS') && !report.issues.truncated;
process.exit(numErrors + numWarnings + numHints === 0 && isFine ? 0 : 1);
