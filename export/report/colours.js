// Colours that survive colour blindness: grades differ in lightness, deviations run from blue over white to orange.
import { isNumber } from './dom.js';

const grades = ['#f7dc6f', '#f5b041', '#e67e22', '#c0392b', '#7b1030'];
export const UNGRADED = '#5b9bd5', JOINT = '#8fa3b8';
export function gradeColour(o) {
  if (isNumber(o.severity)) return grades[Math.round(Math.max(0, Math.min(1, o.severity)) * (grades.length - 1))];
  return o.kind === 'joint' && !o.code ? JOINT : UNGRADED;
}
export const inkOn = (colour) => {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.3 * r + 0.59 * g + 0.11 * b > 140 ? '#16202c' : '#ffffff';
};

const stops = [[33, 84, 160], [107, 160, 214], [244, 244, 240], [240, 168, 92], [178, 80, 10]];
// t from -1 (inwards) to 1 (outwards), as [r, g, b] of 0 to 255; null: grey.
export function diverging(t) {
  if (t === null) return [128, 132, 138];
  const at = (Math.max(-1, Math.min(1, t)) + 1) * 2, i = Math.min(3, Math.floor(at)), f = at - i;
  return stops[i].map((v, k) => Math.round(v + f * (stops[i + 1][k] - v)));
}
export const css = (rgb) => `rgb(${rgb.join(',')})`;
export const themed = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
