// Bundles the report page into one HTML file: node build.mjs OUT.html. The data go in where the mark stands.
import { build } from 'esbuild';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), out = process.argv[2];
const bundled = async (entry, options) => {
  const result = await build({
    entryPoints: [join(here, entry)], bundle: true, minify: true, write: false, legalComments: 'none',
    target: ['chrome100', 'firefox100', 'safari15'], charset: 'utf8', logLevel: 'warning', ...options,
  });
  return result.outputFiles[0].text.trim();
};
const licence = async (name) => `${name}: ${(await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8')).trim()}`;

const script = await bundled('main.js', { format: 'iife' });
const style = await bundled('style.css', {});
const notices = (await Promise.all(['three', 'uplot'].map(licence))).join('\n\n').replaceAll('--', '- -');
// What ends a script or style element inside a string would end it for the browser too.
const safe = (text, element) => text.replaceAll(new RegExp(`</${element}`, 'gi'), `<\\/${element}`);
const page = (await readFile(join(here, 'page.html'), 'utf8'))
  .replace('<!--NOTICES-->', () => `<!--\nThis page contains\n\n${notices}\n-->`)
  .replace('/*STYLE*/', () => safe(style, 'style'))
  .replace('/*SCRIPT*/', () => safe(script, 'script').replaceAll('<!--', '<\\!--'));
if (page.split('<!--INTRADOS-DATA-->').length !== 2) throw new Error('page.html: the mark for the data must stand there once');
// Two builds may run at once: neither sees half a page.
await writeFile(`${out}.${process.pid}`, page);
await rename(`${out}.${process.pid}`, out);
