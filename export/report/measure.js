// Measuring on the wall. Points are [station, clock angle], the angle unwrapped along the run. Lengths and areas are those of
// the fitted section surface; its relief is left out there, since its noise would make every run longer. How deviations are put
// together: docs/report.md.
import { el, clamp, isNumber, save } from './dom.js';
import * as d from './data.js';
import { get, on, set } from './state.js';
import { t } from './i18n.js';
import * as format from './format.js';
import { focus } from './moves.js';

export const tools = ['length', 'distance', 'width', 'area', 'clock'];
const pointsOf = { length: [2, Infinity], distance: [2, 2], width: [2, 2], area: [3, Infinity], clock: [2, 2] };
const STEP = 0.005, mean = d.wall.perimeter / d.TURN;

// A run of points made dense, straight on the unrolled wall.
export function trace(points, isClosed) {
  const out = [], count = points.length;
  for (let i = 0; i < (isClosed ? count : count - 1); i++) {
    const [s0, a0] = points[i], [s1, a1] = points[(i + 1) % count];
    const steps = clamp(Math.ceil(Math.hypot(s1 - s0, (a1 - a0) * mean) / STEP), 1, 4000);
    for (let k = 0; k < steps; k++) out.push([s0 + ((s1 - s0) * k) / steps, a0 + ((a1 - a0) * k) / steps]);
  }
  if (count) out.push(isClosed ? points[0] : points[count - 1]);
  return out;
}

function surfaceLength(points, isClosed) {
  let sum = 0, last = null;
  for (const [s, a] of trace(points, isClosed)) {
    const section = d.sectionAt(s), p = d.pointOn(section, a, d.radius(section, a));
    if (last) sum += Math.hypot(...p.map((x, k) => x - last[k]));
    last = p;
  }
  return sum;
}

// Green's theorem on the wall: the area is the integral of the run around over the station, along the edge.
function surfaceArea(points) {
  let sum = 0, last = null;
  for (const [s, a] of trace(points, true)) {
    const section = d.sectionAt(s), here = { s, run: d.run(section, a) };
    if (last) sum += ((here.run + last.run) / 2) * (s - last.s);
    last = here;
  }
  return Math.abs(sum);
}

// What the scale is worth: relative deviations along the pipe and around it.
function scaleDeviation(s) {
  const length = d.pipe.length, along = isNumber(d.pipe.length_sd) && length > 0 ? d.pipe.length_sd / length : null;
  const diameter = d.valueAt('diameter_mean', s), sd = d.valueAt('diameter_mean_sd', s);
  return { along: along ?? 0, walk: d.pipe.station_walk ?? 0, around: isNumber(sd) && diameter ? sd / diameter : 0, isKnown: isNumber(along) && isNumber(sd) };
}

export function evaluate(tool, points) {
  const stations = points.map((p) => p[0]), angles = points.map((p) => p[1]);
  const s0 = Math.min(...stations), s1 = Math.max(...stations), a0 = Math.min(...angles), a1 = Math.max(...angles);
  const s = (s0 + s1) / 2, scale = scaleDeviation(s);
  const cells = points.map(([at, angle]) => d.resolutionAt(at, angle)), seen = cells.filter((v) => v !== null);
  // A point is set to half a pixel of what was seen, never finer than the picture in this page.
  const resolution = seen.length ? Math.max(...seen) : null, blur = 0.5 * Math.max(resolution ?? 0, d.wall.texel);
  const out = { tool, points, s, resolution, isUnseen: seen.length < points.length, station_from: s0, station_to: s1 };
  const around = (a1 - a0) * (d.sectionAt(s).shape[0] || mean), along = s1 - s0;
  // Along the pipe the steps of the station add up as a random walk: little on short ways, where the scale says almost nothing.
  const scaled = (u, v) => Math.sqrt((u * scale.along) ** 2 + scale.walk * u + (v * scale.around) ** 2);
  if (tool === 'length' || tool === 'width') {
    out.value = surfaceLength(points, false);
    out.kind = out.value < 1 ? 'small' : 'length';
    out.sd = Math.hypot(out.value * scaled(along, around) / (Math.hypot(along, around) || 1), blur * Math.SQRT2);
  } else if (tool === 'distance') {
    const [p, q] = points.map(([at, angle]) => d.wallPoint(at, angle));
    out.value = Math.hypot(...p.map((x, k) => x - q[k]));
    out.kind = out.value < 1 ? 'small' : 'length';
    out.sd = Math.hypot(out.value * scaled(along, around) / (Math.hypot(along, around) || 1), blur * Math.SQRT2);
  } else if (tool === 'area') {
    out.value = surfaceArea(points);
    out.kind = 'area';
    out.sd = Math.hypot(out.value * Math.hypot(scaled(along, 0) / (along || 1), scale.around), (blur * surfaceLength(points, true)) / Math.sqrt(points.length));
    out.share = (100 * out.value) / ((d.valueAt('perimeter', s) ?? d.wall.perimeter) * (along || 1));
  } else {
    out.value = around;
    out.kind = 'small';
    out.sd = Math.hypot(around * scale.around, blur * Math.SQRT2);
    out.clocks = [Math.min(...angles), Math.max(...angles)];
    out.clock_sd = (Math.SQRT2 * blur) / mean;
    out.share = (100 * (a1 - a0)) / d.TURN;
  }
  if (!scale.isKnown) out.sd = null;
  return out;
}

export function describe(result) {
  const main = format.measured(result.value, result.sd, result.kind);
  if (result.tool === 'clock')
    return `${format.clock(result.clocks[0])} – ${format.clock(result.clocks[1])} (± ${format.number((result.clock_sd * 12) / d.TURN, 2)} h), ${main}, ${format.bare(result.share, 'percent')} %`;
  if (result.tool === 'area') return `${main}, ${format.bare(result.share, 'percent')} % ${t('of_ring')}`;
  return main;
}

// ---- points being set ----

export function addPoint(s, angle) {
  const tool = get('tool'), drawing = get('drawing');
  if (!tool) return;
  const last = drawing.length ? drawing[drawing.length - 1][1] : angle;
  const near = last + Math.atan2(Math.sin(angle - last), Math.cos(angle - last)); // the short way around
  // The second click of a double-click sets no second point.
  if (drawing.length && Math.hypot(s - drawing[drawing.length - 1][0], (near - last) * mean) < 1e-5) return;
  const points = [...drawing, [clamp(s, d.from, d.to), near]];
  set({ drawing: points });
  if (points.length >= pointsOf[tool][1]) finish();
}
export function finish() {
  const tool = get('tool'), points = get('drawing');
  if (!tool || points.length < pointsOf[tool][0]) return;
  set({ measurements: [...get('measurements'), { tool, points }], drawing: [] });
}
export const drop = () => (get('drawing').length ? set({ drawing: [] }) : set({ tool: null }));
export const choose = (tool) => set({ tool: get('tool') === tool ? null : tool, drawing: [] });

// ---- the file ----

export const toFile = () => JSON.stringify({
  format: 'intrados-measurements', version: 1, source: d.source.sha256 ?? null,
  measurements: get('measurements').map(({ tool, points }) => {
    const { value, sd, kind, resolution } = evaluate(tool, points);
    return { tool, points, value, sd, unit: kind === 'area' ? 'm2' : 'm', resolution_m: resolution };
  }),
}, null, 1);
export function fromFile(text) {
  const file = JSON.parse(text);
  if (file.format !== 'intrados-measurements' || !Array.isArray(file.measurements)) throw new Error('format');
  const items = file.measurements.map(({ tool, points }) => {
    const isFine = tools.includes(tool) && Array.isArray(points) && points.length >= pointsOf[tool][0] && points.length <= 10000 &&
      points.every((p) => Array.isArray(p) && p.length === 2 && p.every(isNumber));
    if (!isFine) throw new Error('measurement');
    return { tool, points };
  });
  set({ measurements: [...get('measurements'), ...items] });
}

// ---- the panel ----

export function panel() {
  const buttons = el('div', { class: 'row', role: 'toolbar', 'aria-label': t('measure') });
  const status = el('p', { class: 'hint', 'aria-live': 'polite' }), list = el('ol', { class: 'measures' });
  const file = el('input', { type: 'file', accept: '.json,application/json', hidden: true, onchange: async () => {
    try {
      if (file.files[0]) fromFile(await file.files[0].text());
      status.textContent = '';
    } catch {
      status.textContent = t('bad_file');
    }
    file.value = '';
  } });
  for (const tool of tools)
    buttons.append(el('button', { 'data-tool': tool, title: t(`tool_${tool}_hint`), 'aria-pressed': 'false', onclick: () => choose(tool) }, t(`tool_${tool}`)));
  const draw = () => {
    for (const button of buttons.children) button.setAttribute('aria-pressed', String(button.dataset.tool === get('tool')));
    const count = get('drawing').length;
    status.textContent = get('tool') && count ? t('measuring', { n: count }) + preview() : t('measure_hint');
    list.replaceChildren(...get('measurements').map((item, i) => {
      const result = evaluate(item.tool, item.points);
      const notes = [`${format.station(result.station_from)}`, `${t('resolution')} ${result.resolution === null ? t('not_seen') : format.quantity(result.resolution, 'fine')}`];
      if (d.pipe.is_diameter_assumed || d.pipe.is_lens_assumed) notes.push(t('scale_assumed'));
      if (result.isUnseen) notes.push(t('not_seen'));
      return el('li', {},
        el('div', {}, el('b', {}, t(`tool_${item.tool}`)), ' ', el('span', { class: 'figure' }, describe(result))),
        el('div', { class: 'hint' }, [...new Set(notes)].join(' · ')),
        el('div', { class: 'row' },
          el('button', { class: 'small', onclick: () => focus(result.s, d.wrap(item.points[0][1])) }, t('go_there')),
          el('button', { class: 'small', onclick: () => set({ measurements: get('measurements').filter((_, k) => k !== i) }) }, t('remove'))));
    }));
  };
  const preview = () => {
    const tool = get('tool'), points = get('drawing');
    return points.length >= pointsOf[tool][0] ? `: ${describe(evaluate(tool, points))}` : '';
  };
  on('tool drawing measurements', draw);
  draw();
  return el('div', { class: 'panel-body' }, buttons, status, list,
    el('div', { class: 'row' },
      el('button', { onclick: () => save('measurements.json', toFile(), 'application/json') }, t('save')),
      el('button', { onclick: () => file.click() }, t('load')), file));
}
