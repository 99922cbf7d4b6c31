// How long a page takes to open, and what its views cost: node opening.mjs DIR [TIMES]
// DIR holds report.html. Prints the median of TIMES (5) openings until all views are drawn, the same for an empty page and for a page
// of three.js alone (one triangle drawn) in the same browser, and draw calls, triangles and picture memory a view; fails where these are too many for an integrated GPU. Does not
// prove: frames a second on a GPU (WebGL is software here).
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, failures, launch, until } from './page.mjs';

const file = join(resolve(process.argv[2]), 'report.html'), times = Number(process.argv[3] ?? 5);
const { context, open, close } = await launch(file);
// A page that draws one triangle with three.js and nothing else.
async function threeAlone(folder) {
  const sources = join(dirname(fileURLToPath(import.meta.url)), '../../export/report');
  const { build } = await import(pathToFileURL(join(sources, 'node_modules/esbuild/lib/main.js')).href);
  const contents = `import * as three from 'three';
    const renderer = new three.WebGLRenderer({ antialias: true }), scene = new three.Scene(), camera = new three.PerspectiveCamera(70, 1, 0.1, 10);
    renderer.setSize(780, 360);
    document.body.append(renderer.domElement);
    scene.add(new three.Mesh(new three.BufferGeometry().setFromPoints([[-1, -1, -3], [1, -1, -3], [0, 1, -3]].map((p) => new three.Vector3(...p))), new three.MeshBasicMaterial()));
    requestAnimationFrame(() => { renderer.render(scene, camera); requestAnimationFrame(() => { window.drawnAfter = performance.now(); }); });`;
  const { outputFiles } = await build({ stdin: { contents, resolveDir: sources }, bundle: true, minify: true, write: false, format: 'iife' });
  const path = join(folder, 'three.html');
  writeFileSync(path, `<!doctype html><meta charset="utf-8"><body><script>${outputFiles[0].text.replaceAll('</script', '<\\/script')}</script>`);
  return pathToFileURL(path).href;
}
const folder = mkdtempSync(join(tmpdir(), 'intra-opening-')), alone = await threeAlone(folder);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
try {
  const ready = [], empty = [], three = [];
  for (let i = 0; i < times; i++) {
    let begin = performance.now();
    const blank = await context.newPage();
    await blank.goto('data:text/html,<p>empty');
    empty.push(performance.now() - begin);
    await blank.goto(alone);
    await until(blank, () => window.drawnAfter !== undefined);
    three.push(await blank.evaluate(() => window.drawnAfter));
    await blank.close();
    const page = await open('');
    await until(page, () => window.intrados.readyAfter !== undefined);
    ready.push(await page.evaluate(() => window.intrados.readyAfter));
    await page.close();
  }
  console.log(`${(statSync(file).size / 1e6).toFixed(2)} MB: ready after ${(median(ready) / 1e3).toFixed(2)} s (${ready.map((v) => (v / 1e3).toFixed(2)).join(', ')}); three.js alone ${(median(three) / 1e3).toFixed(2)} s, ${(median(ready) / median(three)).toFixed(1)} times that; an empty page ${(median(empty) / 1e3).toFixed(2)} s`);
  const page = await open('');
  const stretch = await page.evaluate(() => [window.intrados.data.from, window.intrados.data.to]);
  for (const mode of ['inside', 'outside', 'path'])
    for (const share of [0, 0.5]) {
      await page.evaluate(([m, s]) => window.intrados.set({ mode: m, s, clock: null }), [mode, stretch[0] + share * (stretch[1] - stretch[0])]);
      await page.waitForTimeout(300);
      await until(page, () => window.intrados.isReady());
      const c = await page.evaluate(() => window.intrados.cost());
      expect(c.triangles > 1000 && c.triangles < 300000 && c.calls < 150 && c.textureBytes < 512e6, `${mode} at ${100 * share} %: ${c.calls} draw calls, ${c.triangles} triangles, ${c.textures} textures, ${(c.textureBytes / 1e6).toFixed(0)} MB of picture`);
    }
} finally {
  rmSync(folder, { recursive: true, force: true });
  await close();
}
process.exit(failures.length ? 1 : 0);
