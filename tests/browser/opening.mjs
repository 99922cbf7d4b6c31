// How long a page takes to open, and what its views cost: node opening.mjs DIR [TIMES]
// DIR holds report.html. Prints the median of TIMES (5) openings until all views are drawn, the same for an empty page in the same
// browser, and draw calls, triangles and picture memory a view; fails where these are too many for an integrated GPU. Does not
// prove: frames a second on a GPU (WebGL is software here).
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, failures, launch, until } from './page.mjs';

const file = join(resolve(process.argv[2]), 'report.html'), times = Number(process.argv[3] ?? 5);
const { context, open, close } = await launch(file);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
try {
  const ready = [], empty = [];
  for (let i = 0; i < times; i++) {
    let begin = performance.now();
    const blank = await context.newPage();
    await blank.goto('data:text/html,<p>empty');
    empty.push(performance.now() - begin);
    await blank.close();
    const page = await open('');
    await until(page, () => window.intrados.readyAfter !== undefined);
    ready.push(await page.evaluate(() => window.intrados.readyAfter));
    await page.close();
  }
  console.log(`${(statSync(file).size / 1e6).toFixed(2)} MB: ready after ${(median(ready) / 1e3).toFixed(2)} s (${ready.map((v) => (v / 1e3).toFixed(2)).join(', ')}); an empty page ${(median(empty) / 1e3).toFixed(2)} s`);
  const page = await open('');
  const stretch = await page.evaluate(() => [window.intrados.data.from, window.intrados.data.to]);
  for (const mode of ['inside', 'outside', 'path'])
    for (const share of mode === 'path' ? [0] : [0, 0.5]) { // the made camera goes straight on where its pipe bends
      await page.evaluate(([m, s]) => window.intrados.set({ mode: m, s, clock: null }), [mode, stretch[0] + share * (stretch[1] - stretch[0])]);
      await page.waitForTimeout(300);
      await until(page, () => window.intrados.isReady());
      const c = await page.evaluate(() => window.intrados.cost());
      expect(c.triangles > 1000 && c.triangles < 300000 && c.calls < 150 && c.textureBytes < 512e6, `${mode} at ${100 * share} %: ${c.calls} draw calls, ${c.triangles} triangles, ${c.textures} textures, ${(c.textureBytes / 1e6).toFixed(0)} MB of picture`);
    }
} finally {
  await close();
}
process.exit(failures.length ? 1 : 0);
