// The section at a station as a drawing: nominal circle, fitted ellipse, measured wall with its deviation in colour.
import { isNumber, svg, el } from './dom.js';
import * as d from './data.js';
import { get, on } from './state.js';
import { css, diverging } from './colours.js';
import { t } from './i18n.js';
import * as format from './format.js';
import { perFrame } from './dom.js';

const STEPS = 180, nominal = d.pipe.nominal_diameter / 2;

// Deviations are drawn so many times too large that a typical one can be seen.
function exaggeration(radii) {
  const worst = Math.max(...radii.map((r) => Math.abs(r - nominal)), 1e-6);
  return [50, 20, 10, 5, 2, 1].find((k) => (k * worst) / nominal < 0.22) ?? 1;
}

export function drawing(s, size = 260) {
  const section = d.sectionAt(s), isSeen = d.isSeenAt(s), scale = (0.36 * size) / nominal, c = size / 2;
  const angles = Array.from({ length: STEPS + 1 }, (_, k) => (k * d.TURN) / STEPS);
  const relief = angles.map((a) => d.reliefAt(s, a)), radii = angles.map((a, k) => d.radius(section, a) + (relief[k] ?? 0));
  const times = exaggeration(radii), at = (a, r) => [c + Math.sin(a) * scale * (nominal + (r - nominal) * times), c - Math.cos(a) * scale * (nominal + (r - nominal) * times)];
  const out = svg('svg', { viewBox: `0 0 ${size} ${size}`, class: 'section', role: 'img', 'aria-label': `${t('section')} ${format.station(s)}` });
  const clip = `water-${Math.round(s * 1e4)}`, water = d.valueAt('water', s);
  if (isNumber(water)) {
    const y = c + scale * nominal * (1 - (2 * water) / 100);
    out.append(svg('clipPath', { id: clip }, svg('circle', { cx: c, cy: c, r: scale * nominal })),
      svg('rect', { x: 0, y, width: size, height: size, class: 'water', 'clip-path': `url(#${clip})` }));
  }
  out.append(svg('circle', { cx: c, cy: c, r: scale * nominal, class: 'nominal' }));
  // First order in the second harmonic: an ellipse whose half axes are the mean radius plus and minus its size.
  const [a0, , , , a2, b2] = section.shape, h = Math.hypot(a2 ?? 0, b2 ?? 0), turn = Math.atan2(b2 ?? 0, a2 ?? 0) / 2;
  const ellipse = angles.map((a) => {
    const u = a - turn, big = a0 + h, small = a0 - h;
    return at(a, (big * small) / Math.hypot(small * Math.cos(u), big * Math.sin(u)));
  });
  out.append(svg('path', { d: `M${ellipse.map((p) => p.map((x) => x.toFixed(2)).join(' ')).join('L')}Z`, class: 'ellipse' }));
  const span = Math.max(0.002, nominal * 0.02, ...radii.map((r) => Math.abs(r - nominal)));
  for (let k = 0; k < STEPS; k++) {
    const isMeasured = isSeen && relief[k] !== null && d.resolutionAt(s, angles[k]) !== null;
    const [p, q] = [at(angles[k], radii[k]), at(angles[k + 1], radii[k + 1])];
    out.append(svg('line', { x1: p[0].toFixed(2), y1: p[1].toFixed(2), x2: q[0].toFixed(2), y2: q[1].toFixed(2), class: isMeasured ? 'wall' : 'wall unseen',
      stroke: isMeasured ? css(diverging((radii[k] - nominal) / span)) : undefined }));
  }
  for (const hours of [12, 3, 6, 9]) {
    const a = d.fromClock(hours), r = 0.465 * size;
    out.append(svg('text', { x: c + Math.sin(a) * r, y: c - Math.cos(a) * r, class: 'hour' }, String(hours)));
  }
  if (get('clock') !== null && s === get('s')) {
    const a = get('clock');
    out.append(svg('line', { x1: c, y1: c, x2: c + Math.sin(a) * 0.42 * size, y2: c - Math.cos(a) * 0.42 * size, class: 'look' }));
  }
  out.append(svg('text', { x: c, y: c - 4, class: 'hour' }, times > 1 ? `× ${times}` : '1 : 1'));
  return { node: out, times, span };
}

export function figures(s) {
  const v = (name) => (d.isSeenAt(s) ? d.valueAt(name, s) : null);
  const row = (label, name, kind) => [label, format.measured(v(name), v(`${name}_sd`), kind)];
  const clock = v('min_clock');
  const list = [
    [t('station'), format.station(s)],
    [t('nominal'), `${format.quantity(d.pipe.nominal_diameter, 'small')}${d.pipe.is_diameter_assumed ? ` (${t('assumed')})` : ''}`],
    row(`${t('diameter')}, ${t('mean')}`, 'diameter_mean', 'small'),
    row(`${t('diameter')}, ${t('min')}`, 'diameter_min', 'small'),
    row(`${t('diameter')}, ${t('max')}`, 'diameter_max', 'small'),
    row(t('perimeter'), 'perimeter', 'small'),
    row(`${t('ovality')}, ${t('from_min')}`, 'ovality', 'percent'),
    row(`${t('ovality')}, ${t('from_max')}`, 'ovality_max', 'percent'),
    row(t('water'), 'water', 'percent'),
    row(t('grade_slope'), 'grade', 'slope'),
    [t('resolution'), format.quantity(d.coverageAt(s).resolution, 'fine')],
    [t('seen_share'), format.share(d.coverageAt(s).seen)],
  ];
  if (isNumber(clock)) list[3][1] += ` ${t('at_clock', { c: format.clock(clock) })}`;
  return list;
}

export const table = (list) => el('table', { class: 'figures' }, el('tbody', {}, list.map(([label, value]) => el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, value)))));

export function panel() {
  const node = el('div', { class: 'panel-body' });
  const draw = perFrame(() => {
    if (node.closest('[hidden]')) return;
    const s = get('s'), { node: picture, times, span } = drawing(s);
    node.replaceChildren(picture,
      el('div', { class: 'legend-bar' }, el('span', {}, format.quantity(-span, 'small')), el('i', { class: 'ramp' }), el('span', {}, `+${format.quantity(span, 'small')}`)),
      el('p', { class: 'hint' }, [`– – ${t('nominal')}`, `··· ${t('ellipse')}`, times > 1 ? t('exaggerated', { n: times }) : null, t('deviation_note')].filter(Boolean).join(' · ')),
      table(figures(s)));
  });
  on('s clock dressed tab', draw);
  node.refresh = draw;
  draw();
  return node;
}
