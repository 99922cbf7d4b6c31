// The report page's colours, by computation: text against its ground (WCAG 2.1 AA: 4.5; lines and focus: 3), and the grades'
// distance from each other as people with full colour vision and with each of the three colour blindnesses see them (Machado,
// Oliveira, Fernandes 2009, severity 1; CIE 1976 distance). Usage: node palette.mjs. Does not prove: contrast on the wall's picture,
// where outlines have a dark halo.
import { readFileSync } from 'node:fs';
import { gradeColour, inkOn, JOINT, UNGRADED } from '../../export/report/colours.js';

const failures = [];
const expect = (isTrue, text) => {
  if (!isTrue) failures.push(text);
  console.log(`${isTrue ? 'ok    ' : 'FAILED'} ${text}`);
};
const linear = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
const times = (matrix, v) => matrix.map((row) => row.reduce((sum, x, i) => sum + x * v[i], 0));
const luminance = (colour) => times([[0.2126, 0.7152, 0.0722]], linear(colour))[0];
const contrast = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

const style = readFileSync(new URL('../../export/report/style.css', import.meta.url), 'utf8');
const scheme = (selector) => {
  const body = style.slice(style.indexOf(`${selector} {`));
  return Object.fromEntries([...body.slice(0, body.indexOf('}')).matchAll(/--([\w-]+): (#[0-9a-f]{6})\b/g)].map(([, name, value]) => [name, value]));
};
const texts = [['ink', 'page'], ['ink', 'view'], ['ink', 'button'], ['ink', 'select'], ['ink', 'grid'], ['muted', 'page'], ['muted', 'view'], ['muted', 'select'], ['muted', 'grid'],
  ['accent', 'view'], ['accent', 'select'], ['accent', 'grid'], ['button-on-ink', 'button-on'], ['warn-ink', 'warn']];
const lines = [['line-1', 'view'], ['line-2', 'view'], ['line-3', 'view'], ['line-4', 'view'], ['accent', 'view'], ['accent', 'page'], ['edge', 'view'], ['edge', 'page'], ['edge', 'button'], ['button-on', 'view']];
for (const selector of [':root', ":root[data-theme='dark']"]) {
  const colours = scheme(selector);
  for (const [least, pairs] of [[4.5, texts], [3, lines]])
    for (const [front, ground] of pairs) {
      const ratio = contrast(colours[front], colours[ground]);
      expect(ratio >= least, `${selector}: ${front} on ${ground} ${ratio.toFixed(2)}, at least ${least}`);
    }
}

const grades = [0, 0.25, 0.5, 0.75, 1].map((severity) => gradeColour({ severity })), all = [...grades, UNGRADED, JOINT];
for (const colour of all) expect(contrast(colour, inkOn(colour)) >= 4.5, `a number on ${colour}: ${contrast(colour, inkOn(colour)).toFixed(2)}`);
const eyes = {
  'full colour vision': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const lab = (rgb) => {
  const [x, y, z] = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], rgb).map((v, i) => v / [0.9505, 1, 1.089][i])
    .map((v) => (v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
};
for (const [name, matrix] of Object.entries(eyes)) {
  const seen = all.map((colour) => lab(times(matrix, linear(colour)).map((v) => Math.max(0, Math.min(1, v)))));
  const least = Math.min(...seen.flatMap((a, i) => seen.slice(i + 1).map((b) => Math.hypot(...a.map((v, k) => v - b[k])))));
  expect(least >= 10, `${name}: the nearest two of grades, ungraded and joint are ${least.toFixed(1)} apart, at least 10`);
  const light = seen.slice(0, grades.length).map(([L]) => L);
  expect(light.every((L, i) => !i || L < light[i - 1] - 8), `${name}: worse grades are darker: ${light.map((L) => L.toFixed(0)).join(', ')}`);
}
process.exit(failures.length ? 1 : 0);
