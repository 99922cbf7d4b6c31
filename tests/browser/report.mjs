// The report page in a browser, as people open it: from a file, without a network.
// node report.mjs DIR [PICTURES]     DIR holds report.html and truth.json of export_report. Exit status 77 without Chromium or
// npm's packages, or where the build has no page. What it does not prove: speed on a real GPU (the WebGL here is software);
// lengths on a reconstructed wall (crack.mjs).
import { readFile } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, failures, launch, state, until } from './page.mjs';

const dir = resolve(process.argv[2]), pictures = process.argv[3] ?? dir, file = join(dir, 'report.html');
const { open, close } = await launch(file);
const truth = JSON.parse(await readFile(join(dir, 'truth.json'), 'utf8'));

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
  // The deviation grows along the pipe at least as a random walk does, and not around it.
  const walk = await page.evaluate(() => {
    const { measure, data } = window.intrados, sd = (a, b) => measure.evaluate('length', [a, b]).sd;
    return { q: data.pipe.station_walk, relative: data.pipe.length_sd / data.pipe.length, point: sd([0.5, 1], [0.5, 1]), short: sd([0.5, 1], [0.6, 1]), long: sd([0.5, 1], [1.5, 1]), around: sd([0.5, 1], [0.5, 1.1]), q2: data.pipe.nominal_diameter * 0.5e-5 };
  });
  const alone = (sd, way) => sd ** 2 - walk.point ** 2 - (walk.relative * way) ** 2;
  expect(Math.abs(walk.q - walk.q2) < 1e-8 && Math.abs(alone(walk.short, 0.1) / (walk.q * 0.1) - 1) < 0.2 && Math.abs(alone(walk.long, 1) / walk.q - 1) < 0.2,
    `deviation over 0.1 m ${(1e3 * walk.short).toFixed(2)} mm, over 1 m ${(1e3 * walk.long).toFixed(2)} mm: the walk of the station is in it`);
  expect(walk.around < walk.short, `and not around the pipe: ${(1e3 * walk.around).toFixed(2)} mm`);
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

  // Another language, other units, the browser's dark scheme while the page is open: nothing measured is lost, nor the place.
  await page.evaluate(() => { window.isSamePage = true; window.intrados.views.unrolled.zoom(1.3); });
  await page.mouse.click(...(await page.evaluate(() => window.intrados.pixelOf(1.3, 0.5))));
  const kept_now = () => page.evaluate(() => JSON.stringify([['measurements', 'drawing', 'tool', 'tab', 's', 'clock', 'mode'].map((k) => window.intrados.get(k)), window.intrados.views.unrolled.view, window.isSamePage]));
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const was = await kept_now();
  expect(JSON.parse(was)[0][0].length === 1 && JSON.parse(was)[0][1].length === 1, 'a measurement, and a point of the next one');
  await page.locator('[data-choice=units]').focus();
  await page.locator('[data-choice=units]').selectOption('us');
  expect((await kept_now()) === was, 'kept when the units change');
  expect(/ in$/.test(await page.locator('.measures .figure').textContent()), `and shown in inches: ${await page.locator('.measures .figure').textContent()}`);
  expect((await page.evaluate(() => document.activeElement.dataset.choice)) === 'units', 'the choice keeps the focus');
  await page.locator('[data-choice=language]').selectOption('de');
  expect((await kept_now()) === was && (await page.locator('#app').innerText()).includes('Messen'), 'kept when the language changes, and the page is German');
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  await until(page, () => window.intrados.get('dressed') === 'dark');
  expect((await kept_now()) === was && (await background()) !== light, `kept when the scheme turns dark: ${light} to ${await background()}`);
  await page.emulateMedia({ colorScheme: 'light' });
  await until(page, () => window.intrados.get('dressed') === 'light');
  expect((await background()) === light, 'and light again');
  await page.locator('[data-choice=language]').selectOption('en');
  await page.locator('[data-choice=units]').selectOption('metric');
  expect((await kept_now()) === was, 'kept all the way back');
  await page.locator('button[data-tool=length]').click(); // the tool is laid down

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
  const list = await page.evaluate(() => [document.querySelector('.scroll').scrollWidth, document.querySelector('.scroll').clientWidth]);
  expect(list[0] <= list[1], `the table does not scroll sideways at 1366 pixels: ${list}`);
  // It stays a table beside a selected one with a long text: three rows and more; the text is cut after three lines, and whole below.
  const room = await page.evaluate(() => {
    const [view, head] = ['.scroll', '.list thead'].map((name) => document.querySelector(name).getBoundingClientRect());
    const rows = [...document.querySelectorAll('.list tbody tr')].map((r) => r.getBoundingClientRect().height), heading = document.querySelector('.detail h3 .long');
    return { rows: (view.height - head.height) / Math.min(...rows), tallest: Math.max(...rows), heading: heading.getBoundingClientRect().height, line: parseFloat(getComputedStyle(heading).lineHeight),
      whole: [...document.querySelectorAll('.detail td.long')].some((td) => td.textContent.length === 10240) };
  });
  expect(room.rows >= 2.5 && room.tallest < 60 && room.heading < 3.5 * room.line && room.whole, `a long text leaves the table ${room.rows.toFixed(1)} rows, the tallest of ${room.tallest.toFixed(0)} pixels`);
  await page.screenshot({ path: join(pictures, 'report_table.png') });
  // Of two inspections one can be chosen; what has a moment in the video that lies beside links there.
  const links = page.locator('.list a'), hrefs = await links.evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  expect(hrefs.includes('../pipe%20%227%22%20%3Cb%3E.mp4#t=12.35'), `the row links to the video at its time: ${hrefs}`);
  const rows = await page.locator('.list tbody tr').count();
  await page.getByLabel('all inspections').selectOption({ label: '2026-05-18' });
  const some = await page.locator('.list tbody tr').allInnerTexts();
  expect(some.length === 1 && some[0].includes('TIMED') && rows > 6, `one inspection of two: ${some.length} of ${rows} rows`);
  await page.getByLabel('all inspections').selectOption('');
  // Keyboard only: to the table, to a row, fly there.
  await page.locator('.list tbody tr').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(200);
  expect((await state(page, 'selected')) !== null, 'Enter on a row selects it');
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('#app button, #app select, #app input, #app canvas:not(.thumb, .plot canvas)')].filter((e) => !e.hidden && !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-hidden'))).map((e) => e.outerHTML.slice(0, 80)));
  expect(unnamed.length === 0, `every control has a name ${unnamed}`);
  await page.close();

  // Tab reaches every control, and each shows that it has the focus; a length is measured without a mouse.
  page = await open('#s=1&clock=3');
  const stops = [];
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const { tagName } = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { tagName, isShown: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 };
    });
    if (stop.tagName === 'BODY') break;
    stops.push(stop);
  }
  expect(stops.length > 40 && stops.length < 120 && stops.every((stop) => stop.isShown), `all ${stops.length} stops of the Tab key show the focus`);
  await page.getByRole('tab', { name: 'Observations' }).focus();
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
  await page.locator('button[data-tool=length]').focus();
  await page.keyboard.press('Enter');
  await page.locator('.unrolled > canvas').focus();
  await page.keyboard.press('Space');
  for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  const byKeys = await page.evaluate(() => {
    const [item] = window.intrados.get('measurements');
    return { wanted: 40 / window.intrados.views.unrolled.view.scale, value: item && window.intrados.measure.evaluate(item.tool, item.points).value, points: item?.points.length };
  });
  expect(byKeys.points === 2 && Math.abs(byKeys.value / byKeys.wanted - 1) < 0.01, `a length by the keyboard: ${(1e3 * byKeys.value).toFixed(1)} of ${(1e3 * byKeys.wanted).toFixed(1)} mm`);
  await page.close();

  // The camera's own view, far along the bend: it shows the wall, all of the picture.
  page = await open('#s=3.5&view=path');
  const path = await page.evaluate(() => [window.intrados.cost().triangles, window.intrados.data.path.station.length]);
  const colours = await page.evaluate(() => new Promise((resolve) => {
    const { views } = window.intrados, { renderer, scene, camera } = views.three;
    renderer.render(scene, camera); // read in the same task, before the browser takes it
    const gl = renderer.getContext(), w = gl.drawingBufferWidth, h = gl.drawingBufferHeight, pixels = new Uint8Array(4 * w * h);
    gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    let wall = 0; // brown as the made wall is painted: more red than blue
    for (let i = 0; i < pixels.length; i += 4) wall += pixels[i] > pixels[i + 2] + 10;
    resolve(wall / (w * h));
  }));
  expect(path[0] > 1000 && colours > 0.7, `the camera's view at 3.5 m shows wall in ${(100 * colours).toFixed(0)} % of the picture`);
  await page.screenshot({ path: join(pictures, 'report_path.png') });
  await page.close();

  // In a stretch that nobody saw, zoomed in so that neither end shows, the words for it do.
  page = await open('#s=2.55');
  const words = await page.evaluate(() => {
    const { unrolled } = window.intrados.views, said = [], paint = unrolled.canvas.getContext('2d'), whole = paint.fillText;
    paint.fillText = function (text, x, y) { said.push([text, x, y]); return whole.apply(this, arguments); };
    unrolled.zoom(1e3, 2.55);
    unrolled.paint();
    delete paint.fillText;
    const inside = (word) => said.some(([text, x, y]) => text === word && x > 0 && x < unrolled.canvas.clientWidth && y > 0 && y < unrolled.canvas.clientHeight);
    return { view: [unrolled.view.s, unrolled.view.s + unrolled.width / unrolled.view.scale], seen: inside('not seen'), gap: inside('Gap') };
  });
  expect(words.view[0] > 2.3 && words.view[1] < 2.8 && words.seen && words.gap, `from ${words.view.map((v) => v.toFixed(2)).join(' to ')} m the wall says "not seen" and "Gap"`);
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
  await close();
}
process.exit(failures.length ? 1 : 0);
