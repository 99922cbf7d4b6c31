// Numbers for people: units, decimals by what the number is worth, deviations beside them.
import { isNumber } from './dom.js';
import { get } from './state.js';
import { toClock } from './data.js';

const FOOT = 0.3048, INCH = 0.0254;
const formats = new Map(); // making one takes the browser long
function formatOf(language, decimals) {
  const key = `${language} ${decimals}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language === 'de' ? 'de-DE' : 'en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  return formats.get(key);
}
export const number = (value, decimals) => formatOf(get('language'), decimals).format(Number(value.toFixed(decimals)) + 0).replace('-', '−'); // never -0

const isUs = () => get('units') === 'us';
const units = {
  // kind: [metric factor, unit, decimals], [US factor, unit, decimals]
  station: [[1, 'm', 2], [1 / FOOT, 'ft', 2]],
  length: [[1, 'm', 3], [1 / FOOT, 'ft', 3]],
  small: [[1000, 'mm', 1], [1 / INCH, 'in', 2]],
  fine: [[1000, 'mm', 2], [1 / INCH, 'in', 3]],
  area: [[1e4, 'cm²', 2], [1 / INCH ** 2, 'in²', 3]],
  volume: [[1000, 'l', 2], [1 / FOOT ** 3, 'ft³', 4]],
  percent: [[1, '%', 1], [1, '%', 1]],
  slope: [[1, '%', 2], [1, '%', 2]],
  angle: [[180 / Math.PI, '°', 2], [180 / Math.PI, '°', 2]],
};
export const scaleOf = (kind) => units[kind][isUs() ? 1 : 0];
export const unitOf = (kind) => scaleOf(kind)[1];
export const bare = (value, kind) => (isNumber(value) ? number(value * scaleOf(kind)[0], scaleOf(kind)[2]) : '–');
export const quantity = (value, kind) => (isNumber(value) ? `${bare(value, kind)} ${unitOf(kind)}` : '–');
// "300.1 ± 0.8 mm"; without a known deviation "± ?".
export function measured(value, sd, kind) {
  if (!isNumber(value)) return '–';
  const [factor, unit, decimals] = scaleOf(kind);
  return `${number(value * factor, decimals)} ± ${isNumber(sd) ? number(sd * factor, decimals) : '?'} ${unit}`;
}
export const station = (s) => quantity(s, 'station');
export const clock = (angle) => (isNumber(angle) ? number(Math.round(toClock(angle) * 10) / 10 || 12, 1) : '–');
export const share = (v) => (isNumber(v) ? `${number(100 * v, 0)} %` : '–');
export function seconds(t) {
  if (!isNumber(t)) return '–';
  const m = Math.floor(t / 60), s = t - 60 * m;
  return `${m}:${s < 10 ? '0' : ''}${number(s, 1)}`;
}
