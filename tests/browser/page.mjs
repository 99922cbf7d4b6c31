// A page in Chromium, opened from a file as people do it, for the browser tests. Whatever goes wrong in it is a failure.
import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const failures = [];
export const expect = (isTrue, text) => {
  console.log(`${isTrue ? 'ok    ' : 'FAILED'} ${text}`);
  if (!isTrue) failures.push(text);
};

// Exit status 77 without Chromium or npm's packages, or where the file is not there.
export async function launch(file) {
  const { chromium } = await import('playwright-core').catch(() => {
    console.log('skipped: run `npm ci` in tests/browser first');
    process.exit(77);
  });
  const browserPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => p && existsSync(p));
  if (!browserPath || !existsSync(file)) {
    console.log(`skipped: ${browserPath ? `no ${file}` : 'no Chromium; install the Debian package chromium or set CHROMIUM'}`);
    process.exit(77);
  }
  const profile = await mkdtemp(join(tmpdir(), 'intra-report-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath, headless: true, viewport: { width: 1366, height: 768 },
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
           '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const open = async (hash) => {
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
  };
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, open, close };
}

// The page forbids eval, which the browser's own waiting needs.
export async function until(page, isTrue, ms = 90000) {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await page.evaluate(isTrue)) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`waited in vain: ${isTrue}`);
}
export const state = (page, key) => page.evaluate((k) => window.intrados.get(k), key);
