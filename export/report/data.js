// The data of the page, and the pipe's geometry. World: Z up, metres; clock angle from the crown, clockwise along +s.
import { clamp, isNumber } from './dom.js';

export const data = JSON.parse(document.getElementById('data').textContent);
export const { wall, sections, pipe, path, gaps, observations, source } = data;
export const from = wall.station_from, to = wall.station_to;
export const TURN = 2 * Math.PI;

const bytes = (id) => {
  const text = atob(document.getElementById(id)?.textContent ?? ''), out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
};
const reliefBytes = bytes('relief'), coverage = bytes('coverage');
const relief = new DataView(reliefBytes.buffer);

export const wrap = (angle) => ((angle % TURN) + TURN) % TURN;
export const toClock = (angle) => (wrap(angle) * 12) / TURN || 12;
export const fromClock = (hours) => wrap((hours * TURN) / 12);
// Distance in metres below the top edge of the unrolled wall, and back.
export const toDown = (angle) => (wrap(angle - wall.cut) / TURN) * wall.perimeter;
export const fromDown = (down) => wrap(wall.cut + (down / wall.perimeter) * TURN);

const n = sections.station.length, harmonics = sections.shape.length / n / 2;

// Index and share of the section before station s.
export function place(s) {
  const at = clamp((s - sections.station[0]) / (sections.station[n - 1] - sections.station[0] || 1), 0, 1) * (n - 1);
  const i = Math.min(Math.floor(at), n - 2);
  return { i: Math.max(i, 0), f: clamp(at - i, 0, 1) };
}
const mix = (array, i, f) => array[i] + f * (array[Math.min(i + 1, n - 1)] - array[i]);
// Value of a column at a station; null where unknown.
export function valueAt(name, s) {
  const { i, f } = place(s), a = sections[name][i], b = sections[name][Math.min(i + 1, n - 1)];
  if (isNumber(a) && isNumber(b)) return a + f * (b - a);
  return f < 0.5 ? a ?? null : b ?? null;
}
export const isSeenAt = (s) => {
  const { i, f } = place(s);
  return !!sections.seen[f < 0.5 ? i : Math.min(i + 1, n - 1)];
};

// The section at a station: centre, tangent, right, crown, and the harmonics of its radius.
export function sectionAt(s) {
  const { i, f } = place(s), out = { shape: [] };
  const vector = (column) => [0, 1, 2].map((k) => {
    const at = 9 * i + 3 * column + k, next = Math.min(9 * (i + 1), 9 * (n - 1)) + 3 * column + k;
    return sections.frame[at] + f * (sections.frame[next] - sections.frame[at]);
  });
  const unit = (v) => v.map((x) => x / Math.hypot(...v));
  out.centre = ['x', 'y', 'z'].map((name) => mix(sections[name], i, f));
  // Beyond the ends the axis goes straight on.
  out.tangent = unit(vector(0));
  const beyond = s - clamp(s, sections.station[0], sections.station[n - 1]);
  if (beyond) out.centre = out.centre.map((x, k) => x + beyond * out.tangent[k]);
  out.right = unit(vector(1));
  out.crown = unit(vector(2));
  const stride = 2 * harmonics, j = Math.min(i + 1, n - 1);
  for (let k = 0; k < stride; k++)
    out.shape.push(sections.shape[i * stride + k] * (1 - f) + sections.shape[j * stride + k] * f);
  return out;
}
export function radius(section, angle) {
  let r = section.shape[0];
  for (let k = 1; k < harmonics; k++)
    r += section.shape[2 * k] * Math.cos(k * angle) + section.shape[2 * k + 1] * Math.sin(k * angle);
  return r;
}
// Integral of the radius over the clock angle from 0: the wall's run around, for areas.
export function run(section, angle) {
  let sum = section.shape[0] * angle;
  for (let k = 1; k < harmonics; k++)
    sum += (section.shape[2 * k] * Math.sin(k * angle) + section.shape[2 * k + 1] * (1 - Math.cos(k * angle))) / k;
  return sum;
}
export function pointOn(section, angle, r) {
  const s = r * Math.sin(angle), c = r * Math.cos(angle);
  return section.centre.map((x, k) => x + s * section.right[k] + c * section.crown[k]);
}
// Radial deviation from the fitted section, metres; null where none was measured.
export function reliefAt(s, angle) {
  const { cols, rows, step, unit } = data.relief;
  const x = clamp((s - from) / step - 0.5, 0, cols - 1), y = (wrap(angle - wall.cut) / TURN) * rows - 0.5;
  const x0 = Math.floor(x), y0 = Math.floor(y);
  let sum = 0, weight = 0;
  for (let k = 0; k < 4; k++) {
    const xi = Math.min(x0 + (k & 1), cols - 1), yi = ((y0 + (k >> 1)) % rows + rows) % rows;
    const v = relief.getInt16(2 * (yi * cols + xi), true);
    const w = (k & 1 ? x - x0 : 1 - x + x0) * (k >> 1 ? y - y0 : 1 - y + y0);
    if (v !== -32768) {
      sum += w * v * unit;
      weight += w;
    }
  }
  return weight > 0.01 ? sum / weight : null;
}
export const reliefCell = (x, y) => {
  const v = relief.getInt16(2 * (y * data.relief.cols + x), true);
  return v === -32768 ? null : v * data.relief.unit;
};
export function wallPoint(s, angle, section = sectionAt(s)) {
  return pointOn(section, angle, radius(section, angle) + (reliefAt(s, angle) ?? 0));
}
// Ground resolution, metres a pixel; null where the wall was not seen.
export function resolutionAt(s, angle) {
  const { cols, rows, step, unit } = data.coverage;
  const x = clamp(Math.floor((s - from) / step), 0, cols - 1);
  const y = clamp(Math.floor((wrap(angle - wall.cut) / TURN) * rows), 0, rows - 1), v = coverage[y * cols + x];
  return v ? unit * 2 ** ((v - 1) / 24) : null;
}
// Median ground resolution around the pipe and the seen share at a station.
export function coverageAt(s) {
  const { cols, rows, step, unit } = data.coverage, x = clamp(Math.floor((s - from) / step), 0, cols - 1), all = [];
  for (let y = 0; y < rows; y++) if (coverage[y * cols + x]) all.push(coverage[y * cols + x]);
  all.sort((a, b) => a - b);
  return { seen: all.length / rows, resolution: all.length ? unit * 2 ** ((all[all.length >> 1] - 1) / 24) : null };
}
// Where at least half of the ring is seen for the first time: a camera sees no wall beside itself at first.
export function firstSeen() {
  const { cols, rows, step } = data.coverage;
  for (let x = 0; x < cols; x++) {
    let seen = 0;
    for (let y = 0; y < rows; y++) seen += coverage[y * cols + x] ? 1 : 0;
    if (2 * seen >= rows) return x ? from + x * step : from;
  }
  return from;
}
// Stretches of which nobody saw anything: [from, to].
export const darkStretches = (() => {
  const { cols, rows, step } = data.coverage, out = [];
  let start = null;
  for (let x = 0; x <= cols; x++) {
    let isSeen = x === cols;
    for (let y = 0; y < rows && !isSeen; y++) isSeen = coverage[y * cols + x] > 0;
    if (!isSeen) start ??= x;
    else if (start !== null) {
      out.push([from + start * step, Math.min(from + x * step, to)]);
      start = null;
    }
  }
  return out;
})();
// Range that holds 98 % of the relief, rounded up to a handy number of millimetres.
export const reliefRange = (() => {
  const all = [], count = data.relief.cols * data.relief.rows, every = Math.max(1, Math.floor(count / 20000));
  for (let i = 0; i < count; i += every) {
    const v = relief.getInt16(2 * i, true);
    if (v !== -32768) all.push(Math.abs(v) * data.relief.unit);
  }
  all.sort((a, b) => a - b);
  const high = all.length ? all[Math.floor(0.98 * (all.length - 1))] : 0.001;
  return [1, 2, 3, 5, 10, 20, 30, 50, 100, 200].map((mm) => mm / 1000).find((m) => m >= high) ?? 0.5;
})();

observations.forEach((o) => {
  if (!isNumber(o.station_to)) o.station_to = o.station_from;
  if (!isNumber(o.clock_to) && isNumber(o.clock_from)) o.clock_to = o.clock_from;
});
observations.sort((a, b) => (a.station_from ?? 1e9) - (b.station_from ?? 1e9));
observations.forEach((o, i) => {
  o.number = i + 1;
  o.severity = o.grade?.severity ?? null;
});
export const observation = (id) => observations.find((o) => o.id === id) ?? null;
export const isOnWall = (o) => o.is_placed && isNumber(o.station_from);
// Middle of an observation: station and clock angle (null: around the whole pipe).
export function middle(o) {
  const s = (o.station_from + o.station_to) / 2;
  if (o.is_ring || !isNumber(o.clock_from)) return [s, null];
  return [s, wrap(o.clock_from + wrap(o.clock_to - o.clock_from) / 2)];
}
// Corner points of an observation on the wall: [station, unwrapped angle].
export function outline(o) {
  if (o.outline) return o.outline;
  if (o.is_ring || !isNumber(o.clock_from)) return null;
  const a = o.clock_from, b = a + wrap(o.clock_to - a), pad = 0.02 / (wall.perimeter / TURN);
  const [s0, s1] = o.station_to - o.station_from < 0.02 ? [o.station_from - 0.02, o.station_to + 0.02] : [o.station_from, o.station_to];
  const [a0, a1] = b - a < 2 * pad ? [a - pad, b + pad] : [a, b];
  return [[s0, a0], [s1, a0], [s1, a1], [s0, a1]];
}

// The camera's pose at a station: from the frame nearest to it.
export function poseAt(s) {
  let best = -1, gap = Infinity;
  path.station.forEach((station, i) => {
    const d = Math.abs(station - s);
    if (d < gap) [best, gap] = [i, d];
  });
  if (best < 0) return null;
  const pick = (...names) => names.map((name) => path[name][best]);
  return { index: best, time: path.t[best], station: path.station[best], eye: pick('x', 'y', 'z'), forward: pick('fx', 'fy', 'fz'), up: pick('ux', 'uy', 'uz') };
}
