// A simulated crack, reconstructed, measured on the report page by clicking it where the picture of the wall shows it.
// node crack.mjs DIR [PICTURES]     DIR is what crack_scene.sh made. Exit status 77 without Chromium or npm's packages, or where
// the build has no page. Proves: the measured length agrees with the truth within 2 % or 2 mm; the observation's row opens the
// video that lies beside, at its moment. Does not prove: how well people click.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, failures, launch, state, until } from './page.mjs';

const dir = resolve(process.argv[2]), pictures = process.argv[3] ?? dir, file = join(dir, 'sim/out/report.html');
const { context, open, close } = await launch(file);
const [head, row] = (await readFile(join(dir, 'sim/truth/defects.csv'), 'utf8')).trim().split('\n').map((line) => line.split(','));
const truth = Object.fromEntries(head.map((name, i) => [name, Number(row[i])])), turn = Math.PI / 180;
const from = [truth.station_from_m, truth.clock_from_deg * turn], to = [truth.station_to_m, truth.clock_to_deg * turn];

// Runs in the page: looks along the crack, from one end of the truth to the other and 30 mm beyond each, for the darkest place
// within 22 mm across the pipe; the crack is where that is surely darker than its surroundings. Points each 8 mm, and both ends.
function trace([from, to, beyond]) {
  const { views, pixelOf, data } = window.intrados, view = views.unrolled, canvas = view.canvas, box = canvas.getBoundingClientRect();
  const ratio = canvas.width / canvas.clientWidth, all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const light = (x, y) => {
    const at = 4 * (Math.round(y) * canvas.width + Math.round(x));
    return 0.3 * all.data[at] + 0.59 * all.data[at + 1] + 0.11 * all.data[at + 2];
  };
  const end = ([s, a]) => pixelOf(s, a).map((v, k) => (v - [box.left, box.top][k]) * ratio);
  const [p, q] = [end(from), end(to)], metre = view.view.scale * ratio, reach = Math.round(0.022 * metre), columns = [];
  for (let x = Math.round(p[0] - beyond * metre); x <= q[0] + beyond * metre; x++) {
    const middle = p[1] + ((x - p[0]) / (q[0] - p[0])) * (q[1] - p[1]), values = [];
    for (let y = Math.round(middle) - reach; y <= middle + reach; y++) values.push([y, light(x, y)]);
    const wall = values.map((v) => v[1]).sort((a, b) => a - b)[values.length >> 1], dark = values.map(([y, v]) => [y, Math.max(0, wall - v)]);
    const [best, depth] = dark.reduce((a, b) => (b[1] > a[1] ? b : a));
    const near = dark.filter(([y]) => Math.abs(y - best) < 0.004 * metre), weight = near.reduce((sum, v) => sum + v[1], 0);
    columns.push({ x, y: near.reduce((sum, v) => sum + v[0] * v[1], 0) / (weight || 1), depth });
  }
  const inner = columns.slice(columns.length / 4, (3 * columns.length) / 4).map((c) => c.depth).sort((a, b) => a - b);
  const limit = inner[inner.length >> 1] / 2, gap = 0.006 * metre;
  // The longest run of dark columns without a gap of 6 mm.
  let best = [], run = [];
  for (const c of columns.filter(({ depth }) => depth > limit)) {
    if (run.length && c.x - run[run.length - 1].x > gap) run = [];
    run.push(c);
    if (run.length > best.length) best = run;
  }
  const points = [], step = 0.008 * metre;
  for (let x = best[0].x; x < best[best.length - 1].x - step / 2; x += step) points.push(x);
  points.push(best[best.length - 1].x);
  return points.map((x) => {
    const near = best.filter((c) => Math.abs(c.x - x) <= 0.002 * metre), y = near.map((c) => c.y).sort((a, b) => a - b)[near.length >> 1];
    return [box.left + x / ratio, box.top + y / ratio];
  });
}

try {
  const page = await open(`#s=${(from[0] + to[0]) / 2}`);
  await page.setViewportSize({ width: 1600, height: 1500 });
  await page.getByRole('tab', { name: 'Measure' }).click();
  await page.locator('button[data-tool=length]').click();
  // The wall as large as the crack fits, without the marks that are drawn on it.
  await page.evaluate(([from, to]) => {
    const { views, set, data } = window.intrados, v = views.unrolled;
    data.observations.length = 0;
    const high = data.toDown(to[1]) - data.toDown(from[1]), scale = Math.min(v.width / (to[0] - from[0] + 0.16), v.height / (high + 0.06));
    set({ s: data.from, clock: null });
    v.isTouched = true;
    v.view = { s: from[0] - 0.08, down: data.toDown(from[1]) + high / 2 - v.height / scale / 2, scale };
    v.hold();
    v.draw();
  }, [from, to]);
  await page.waitForTimeout(300);
  await until(page, () => window.intrados.isReady());
  const points = await page.evaluate(trace, [from, to, 0.03]);
  for (const at of points) await page.mouse.click(...at);
  expect((await state(page, 'drawing')).length === points.length, `${points.length} clicks set ${points.length} points`);
  await page.keyboard.press('Enter');
  await page.screenshot({ path: join(pictures, 'crack.png') });
  const shown = await page.locator('.measures .figure').textContent();
  const [value, sd] = shown.match(/[\d.]+/g).map(Number), wanted = 1000 * truth.length_m, off = value - wanted;
  expect(/^[\d.]+ ± [\d.]+ mm$/.test(shown), `the page says ${shown}`);
  expect(Math.abs(off) <= Math.max(0.02 * wanted, 2), `crack of ${wanted.toFixed(1)} mm: ${off.toFixed(1)} mm off (${((100 * off) / wanted).toFixed(2)} %)`);
  expect(sd > 0 && sd < 10, `its deviation: ${sd} mm`);
  await page.close();

  // The record's row links to its moment in the video, and the browser plays it there.
  const table = await open(''), link = table.locator('.list tr', { hasText: 'BAB' }).locator('a'), time = await table.evaluate(() => window.intrados.data.observations.find((o) => o.code === 'BAB').time);
  const [video] = await Promise.all([context.waitForEvent('page'), link.click()]);
  await video.waitForTimeout(1500);
  const played = await video.evaluate(() => [location.href, document.querySelector('video')?.currentTime]);
  expect(played[0].endsWith(`/sim/video.mp4#t=${time.toFixed(2)}`), `the link opens ${played[0].split('/').slice(-2).join('/')}`);
  expect(played[1] >= time - 0.05 && played[1] < time + 3, `and plays from ${played[1]?.toFixed(2)} s on`);
  expect((await state(table, 'selected')) === null, 'without moving the page');
} finally {
  await close();
}
process.exit(failures.length ? 1 : 0);
