// The report page in a browser, as people open it: from a file, without a network.
// node report.mjs DIR [PICTURES]     DIR holds report.html and truth.json of export_report. Exit status 77 without Chromium or
// npm's packages, or where the build has no page. What it does not prove: speed on a real GPU (the WebGL here is software).
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync, statSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { chromium } = await import('playwright-core').catch(() => {
  console.log('skipped: run `npm ci` in tests/browser first');
  process.exit(77);
});
const dir = resolve(process.argv[2]), pictures = process.argv[3] ?? dir, file = join(dir, 'report.html');
const browserPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => p && existsSync(p));
if (!browserPath || !existsSync(file)) {
  console.log(`skipped: ${browserPath ? `no ${file}` : 'no Chromium; install the Debian package chromium or set CHROMIUM'}`);
  process.exit(77);
}
const truth = JSON.parse(await readFile(join(dir, 'truth.json'), 'utf8'));
const failures = [];
const expect = (isTrue, text) => {
  console.log(`${isTrue ? 'ok    ' : 'FAILED'} ${text}`);
  if (!isTrue) failures.push(text);
};

const profile = await mkdtemp(join(tmpdir(), 'intra-report-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: browserPath, headless: true, viewport: { width: 1366, height: 768 },
  args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
         '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function open(hash) {
  const page = await context.newPage();
  page.on('pageerror', (e) => expect(false, `page error: ${e.message}`));
  page.on('console', (m) => { if (m.type() === 'error') expect(false, `console: ${m.text()}`); });
  page.on('dialog', (dialog) => {
    expect(false, `dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (r) => {
    const url = r.url();
    if (!url.startsWith('data:') && !url.startsWith('blob:') && url.split('#')[0] !== pathToFileURL(file).href) expect(false, `request: ${url}`);
  });
  await page.goto(pathToFileURL(file).href + hash);
  await until(page, () => window.intrados?.isReady());
  return page;
}
// The page forbids eval, which the browser's own waiting needs.
async function until(page, isTrue, ms = 90000) {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await page.evaluate(isTrue)) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`waited in vain: ${isTrue}`);
}
const state = (page, key) => page.evaluate((k) => window.intrados.get(k), key);

try {
  let page = await open('');
  const ready = await page.evaluate(() => window.intrados.readyAfter ?? performance.now());
  console.log(`${(statSync(file).size / 1e6).toFixed(2)} MB, ready after ${(ready / 1000).toFixed(2)} s (software WebGL, this machine's load)`);
  expect(statSync(file).size <= 25e6, 'at most 25 MB');
  await page.screenshot({ path: join(pictures, 'report.png') });

  // A click in the unrolled wall moves all views there.
  for (const [s, clock] of [[0.9, 1.2], [1.6, 5.0]]) {
    const at = await page.evaluate(([a, b]) => window.intrados.pixelOf(a, b), [s, clock]);
    await page.mouse.click(...at);
    await page.waitForTimeout(100);
    await until(page, () => window.intrados.isReady());
    const wanted = await state(page, 's'), seen = await state(page, 'clock'), camera = await page.evaluate(() => window.intrados.camera());
    expect(Math.abs(wanted - s) < 0.01 && Math.abs(seen - clock) < 0.05, `click at ${s} m: station ${wanted.toFixed(3)}, clock angle ${seen.toFixed(2)} of ${clock}`);
    expect(camera.station <= wanted && wanted - camera.station < 0.15, `the camera stands at ${camera.station.toFixed(3)} m, less than one radius before it`);
    // The place clicked is in the picture, near its middle.
    const [x, y] = await page.evaluate(([a, b]) => window.intrados.pixelOf3d(a, b), [s, clock]);
    const box = await page.locator('.stage canvas').boundingBox();
    expect(Math.abs(x - box.x - box.width / 2) < 0.25 * box.width && Math.abs(y - box.y - box.height / 2) < 0.25 * box.height, `and looks at it: ${x.toFixed(0)}, ${y.toFixed(0)} of ${box.width.toFixed(0)} x ${box.height.toFixed(0)}`);
    await page.waitForTimeout(300);
    expect(page.url().includes(`s=${wanted.toFixed(2)}`) && page.url().includes('clock='), `the address says so: ${page.url().split('#')[1]}`);
    // And back: the same pixel of the 3D view picked gives the same place.
    await page.mouse.click(x, y);
    await page.waitForTimeout(100);
    const back = await state(page, 's'), turn = await state(page, 'clock');
    expect(Math.abs(back - s) < 0.01 && Math.abs(turn - clock) < 0.06, `a click there in 3D gives ${back.toFixed(3)} m, ${turn.toFixed(2)}`);
  }
  await page.close();

  // The length of the crack, clicked point by point in the unrolled wall.
  page = await open(`#s=${truth.crack[4][0]}`);
  await page.getByRole('tab', { name: 'Measure' }).click();
  await page.locator('button[data-tool=length]').click();
  for (const [s, angle] of truth.crack) await page.mouse.click(...(await page.evaluate(([a, b]) => window.intrados.pixelOf(a, b), [s, angle])));
  await page.keyboard.press('Enter');
  const [measured, shown] = await page.evaluate(() => {
    const [item] = window.intrados.get('measurements');
    return [window.intrados.measure.evaluate(item.tool, item.points), document.querySelector('.measures .figure')?.textContent];
  });
  const off = measured.value - truth.crack_length_m;
  expect(Math.abs(off) <= Math.max(0.02 * truth.crack_length_m, 0.002), `crack of ${(1000 * truth.crack_length_m).toFixed(1)} mm: measured ${(1000 * measured.value).toFixed(1)} +- ${(1000 * measured.sd).toFixed(1)} mm`);
  expect(/\d ± \d.* mm/.test(shown), `shown with deviation and unit: ${shown}`);
  // A square of known size on the wall, by formula.
  const area = await page.evaluate(() => window.intrados.measure.evaluate('area', [[1, 1], [1.2, 1], [1.2, 2], [1, 2]]));
  const around = 0.15 * (1 + 0.03 * (Math.sin(4) - Math.sin(2)) / 2); // integral of r over one radian
  expect(Math.abs(area.value - 0.2 * around) < 0.005 * 0.2 * around, `area ${(1e4 * area.value).toFixed(2)} of ${(2000 * around).toFixed(2)} cm2`);
  const kept = await page.evaluate(() => {
    const before = JSON.stringify(window.intrados.get('measurements')), text = window.intrados.measure.toFile();
    window.intrados.set({ measurements: [] });
    window.intrados.measure.fromFile(text);
    return before === JSON.stringify(window.intrados.get('measurements'));
  });
  expect(kept, 'measurements come back from their file');
  await page.screenshot({ path: join(pictures, 'report_measure.png') });

  // Hostile texts are text.
  expect((await page.evaluate(() => window.hacked)) === undefined, 'no text of a record ran as a script');
  await page.getByRole('tab', { name: 'Observations' }).click();
  expect((await page.locator('img').count()) === 0 && (await page.locator('#app script, #paper script').count()) === 0, 'no element came out of a text');
  const cells = await page.locator('.list td').allTextContents();
  expect(cells.includes('<script>window.hacked = 1</script>'), 'the code <script> stands in the table as text');
  await page.locator('.list tr', { hasText: 'HUGE' }).click();
  await page.waitForTimeout(200);
  const long = await page.locator('.detail .long').first().textContent();
  expect(long.length === 10240 && long.startsWith('<img src=x'), `10 kB of text stand in the detail: ${long.length} characters`);
  const box = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(box[0] <= box[1], 'and the page is no wider for it');
  // Keyboard only: to the table, to a row, fly there.
  await page.locator('.list tbody tr').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(200);
  expect((await state(page, 'selected')) !== null, 'Enter on a row selects it');
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('#app button, #app select, #app input, #app canvas:not(.thumb, .plot canvas)')].filter((e) => !e.hidden && !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-hidden'))).map((e) => e.outerHTML.slice(0, 80)));
  expect(unnamed.length === 0, `every control has a name ${unnamed}`);
  await page.close();

  // German words and numbers.
  page = await open('#s=1.5&clock=3&lang=de');
  const german = await page.locator('#app').innerText();
  expect(german.includes('Feststellungen') && /1,50\s*m/.test(german) && !/\bObservations\b/.test(german), 'German words, comma in numbers');
  await page.close();

  // Paper.
  page = await open('');
  await until(page, () => window.intrados.isPaperReady);
  const sheets = await page.locator('.sheet').count(), pdf = join(pictures, 'report.pdf');
  await page.pdf({ path: pdf, preferCSSPageSize: true, printBackground: true });
  try {
    const pages = Number(/Pages:\s+(\d+)/.exec(execFileSync('pdfinfo', [pdf], { encoding: 'utf8' }))[1]);
    const text = execFileSync('pdftotext', ['-layout', pdf, '-'], { encoding: 'utf8' });
    expect(pages === sheets && pages >= 5, `the PDF has ${pages} pages, ${sheets} sheets`);
    for (const word of ['Pipe inspection report', 'Strip drawing', 'Observations', 'Sections', `Page ${sheets} of ${sheets}`, 'Nominal diameter', 'Crack, longitudinal', 'assumed'])
      expect(text.includes(word), `the PDF says "${word}"`);
  } catch (e) {
    if (e.code !== 'ENOENT') throw e;
    console.log('not checked: pdfinfo and pdftotext are not there (Debian: poppler-utils)');
  }
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}
process.exit(failures.length ? 1 : 0);
