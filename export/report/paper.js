// The report on paper: cover, the strip drawing of the whole pipe with its observations, profiles, tables, sections. Every
// sheet is one page of A4; nothing flows from one to the next, so that the number of pages is known.
import { el, isNumber, svg } from './dom.js';
import * as d from './data.js';
import * as tiles from './tiles.js';
import { gradeColour, inkOn } from './colours.js';
import { t } from './i18n.js';
import * as format from './format.js';
import * as about from './about.js';
import { table, drawing, figures } from './section.js';
import { clockWord, fullCode, gradeWord, hasSeveral, inspectionWord, meaning, measures, sourceWord, stationWord } from './observations.js';
import { quantities, rows, unseen } from './profile.js';
import { niceStep } from './unrolled.js';

const HIGH = 232, ROWS = 24, LABEL = 5.2; // millimetres; rows of a table page; height of a label on the strip
const cut = (text, n) => (text.length > n ? `${text.slice(0, n - 1)}…` : text);

// Metres a page: what keeps the labels apart and the drawing on few pages.
function metresPerPage(list) {
  const whole = d.to - d.from;
  for (const metres of [100, 50, 25, 20, 10, 5]) {
    const fits = Array.from({ length: Math.ceil(whole / metres) }, (_, k) => list.filter((o) => o.station_from >= d.from + k * metres && o.station_from < d.from + (k + 1) * metres).length);
    if (metres <= Math.max(whole, 5) * 1.99 && Math.max(...fits) * LABEL < HIGH) return metres;
  }
  return 5;
}

// Label heights near where they belong, in order, none over another.
function spread(wanted, gap, low, high) {
  const at = [...wanted];
  for (let i = 0; i < at.length; i++) at[i] = Math.max(at[i], low + i * gap, i ? at[i - 1] + gap : low);
  for (let i = at.length - 1; i >= 0; i--) at[i] = Math.min(at[i], high - (at.length - 1 - i) * gap, i < at.length - 1 ? at[i + 1] - gap : high);
  return at;
}

async function stripImage(s0, s1, mmPerMetre) {
  const level = tiles.levelFor(0.2 / mmPerMetre), cell = d.wall.texel * 2 ** level;
  const c0 = Math.max(0, Math.round((s0 - d.from) / cell)), c1 = Math.max(c0 + 1, Math.min(tiles.levelCols(level), Math.round((s1 - d.from) / cell)));
  const canvas = await tiles.stretch(level, c0, c1), turned = el('canvas', { width: canvas.height, height: canvas.width }), g = turned.getContext('2d');
  // Station downwards, clock positions to the right: 6, 9, 12, 3, 6 looking along the pipe.
  g.transform(0, 1, 1, 0, 0, 0);
  g.drawImage(canvas, 0, 0);
  return turned.toDataURL('image/jpeg', 0.85);
}

async function stripSheet(s0, s1, metres, list) {
  const scale = HIGH / metres, y = (s) => 6 + (s - s0) * scale, left = 20, width = 26, ink = '#16202c';
  const out = svg('svg', { viewBox: `0 0 180 ${HIGH + 12}`, class: 'strip', width: '180mm', height: `${HIGH + 12}mm`, role: 'img', 'aria-label': t('strip') });
  out.append(svg('image', { href: await stripImage(s0, s1, scale), x: left, y: y(s0), width, height: (s1 - s0) * scale, preserveAspectRatio: 'none' }),
    svg('rect', { x: left, y: y(s0), width, height: (s1 - s0) * scale, fill: 'none', stroke: ink, 'stroke-width': 0.35 }));
  for (const [k, hours] of [6, 9, 12, 3, 6].entries()) out.append(svg('text', { x: left + (k / 4) * width, y: y(s0) - 1.5, class: 'tick', 'text-anchor': 'middle' }, String(hours)));
  const [factor, unit] = format.scaleOf('station'), step = niceStep((12 / scale) * factor) / factor;
  for (let s = Math.ceil(s0 / step - 1e-9) * step; s <= s1 + 1e-9; s += step)
    out.append(svg('line', { x1: left - 2, x2: left, y1: y(s), y2: y(s), stroke: ink, 'stroke-width': 0.25 }),
      svg('text', { x: left - 3, y: y(s) + 1, class: 'tick', 'text-anchor': 'end' }, `${format.number(s * factor, step * factor < 0.0995 ? 2 : step * factor < 0.995 ? 1 : 0)} ${unit}`));
  for (const [a, b] of unseen().filter(([a, b]) => b > s0 && a < s1)) {
    const top = y(Math.max(a, s0)), bottom = y(Math.min(b, s1));
    out.append(svg('rect', { x: left + width + 1, y: top, width: 2, height: Math.max(0.5, bottom - top), fill: '#888' }));
  }
  const clip = `strip-${Math.round(s0 * 1e3)}`;
  out.append(svg('clipPath', { id: clip }, svg('rect', { x: left, y: y(s0), width, height: (s1 - s0) * scale })));
  // Its outline, again a turn off where it leaves the strip at one side.
  const outline = (o, colour) => {
    const shape = d.outline(o), start = d.toDown(shape[0][1]) / d.wall.perimeter;
    return [-1, 0, 1].map((turn) => svg(o.is_line && o.outline ? 'polyline' : 'polygon', { fill: 'none', stroke: colour, 'stroke-width': 0.5, 'clip-path': `url(#${clip})`,
      points: shape.map(([s, a]) => `${(left + (start + turn + (a - shape[0][1]) / d.TURN) * width).toFixed(2)},${y(s).toFixed(2)}`).join(' ') }));
  };
  const shown = list.filter((o) => o.station_from >= s0 - 1e-9 && (o.station_from < s1 || (s1 >= d.to - 1e-6 && o.station_from <= s1 + 0.5)));
  const at = spread(shown.map((o) => y(o.station_from)), LABEL, y(s0) + 2, 6 + HIGH);
  shown.forEach((o, i) => {
    const colour = gradeColour(o), from = y(o.station_from);
    if (d.outline(o)) out.append(...outline(o, colour));
    else out.append(svg('line', { x1: left, x2: left + width, y1: from, y2: from, stroke: colour, 'stroke-width': 0.7 }));
    out.append(svg('polyline', { points: `${left + width},${from} ${left + width + 6},${at[i]} ${left + width + 9},${at[i]}`, fill: 'none', stroke: '#666', 'stroke-width': 0.2 }),
      svg('rect', { x: left + width + 9, y: at[i] - 1.9, width: 6.5, height: 3.8, rx: 0.8, fill: colour }),
      svg('text', { x: left + width + 12.25, y: at[i] + 1, class: 'tick', 'text-anchor': 'middle', style: { fill: inkOn(colour) } }, String(o.number)),
      svg('text', { x: left + width + 17, y: at[i] + 1.1, class: 'note' }, cut([stationWord(o), clockWord(o), fullCode(o), meaning(o), gradeWord(o) && `${t('grade')} ${gradeWord(o)}`].filter(Boolean).join('  '), 74)));
  });
  return [el('h2', {}, `${t('strip')}, ${format.bare(s0, 'station')} – ${format.station(s1)}`), out];
}

function plot(name) {
  const { values, band, x, has } = rows(name), { kind, lines } = quantities[name];
  if (!has) return null;
  const nominal = name === 'diameter' ? d.pipe.nominal_diameter * format.scaleOf(kind)[0] : null;
  const all = [...values, ...(band ?? [])].flat().filter(isNumber).concat(nominal ?? []), low = Math.min(...all), high = Math.max(...all), pad = 0.06 * (high - low || 1);
  const X = (v) => 18 + ((v - x[0]) / (x[x.length - 1] - x[0] || 1)) * 158, Y = (v) => 40 - ((v - low + pad) / (high - low + 2 * pad)) * 36;
  const run = (line) => {
    let out = '', isDown = false;
    line.forEach((v, i) => {
      if (v !== null) out += `${isDown ? 'L' : 'M'}${X(x[i]).toFixed(2)} ${Y(v).toFixed(2)}`;
      isDown = v !== null;
    });
    return out;
  };
  const out = svg('svg', { viewBox: '0 0 180 47', width: '180mm', height: '47mm', role: 'img', 'aria-label': t(name) });
  const unit = format.unitOf(kind), step = niceStep((high - low + 2 * pad) / 4), first = Math.ceil((low - pad) / step) * step;
  for (let v = first; v <= high + pad; v += step)
    out.append(svg('line', { x1: 18, x2: 176, y1: Y(v), y2: Y(v), stroke: '#ddd', 'stroke-width': 0.2 }), svg('text', { x: 17, y: Y(v) + 1, class: 'tick', 'text-anchor': 'end' }, `${format.number(v, step < 0.1 ? 2 : step < 1 ? 1 : 0)} ${unit}`));
  const along = niceStep((x[x.length - 1] - x[0]) / 10);
  for (let v = Math.ceil(x[0] / along) * along; v <= x[x.length - 1] + 1e-9; v += along) out.append(svg('text', { x: X(v), y: 45, class: 'tick', 'text-anchor': 'middle' }, `${format.number(v, along < 1 ? 1 : 0)} ${format.unitOf('station')}`));
  for (const [a, b] of unseen()) {
    const factor = format.scaleOf('station')[0];
    out.append(svg('rect', { x: X(a * factor), y: 4, width: Math.max(0.4, X(b * factor) - X(a * factor)), height: 36, fill: '#ccc' }));
  }
  const inks = { '--line-1': '#b2500a', '--line-2': '#16202c', '--line-3': '#2154a0' }, colours = lines.map(([, , , stroke]) => inks[stroke]);
  if (band) for (const line of band) out.append(svg('path', { d: run(line), fill: 'none', stroke: '#999', 'stroke-width': 0.15 }));
  if (nominal !== null) out.append(svg('line', { x1: 18, x2: 176, y1: Y(nominal), y2: Y(nominal), stroke: '#12805c', 'stroke-width': 0.3, 'stroke-dasharray': '2 1.2' }));
  values.forEach((line, i) => out.append(svg('path', { d: run(line), fill: 'none', stroke: colours[i], 'stroke-width': 0.35 })));
  const key = [...lines.map(([, , label], i) => el('span', { style: { color: colours[i] } }, `— ${t(label)} `)), nominal === null ? null : el('span', { style: { color: '#12805c' } }, `– – ${t('nominal')} `), band ? el('span', {}, `(${t('interval')})`) : null];
  return el('figure', {}, el('figcaption', {}, el('b', {}, t(name)), ' ', lines.length > 1 || nominal !== null ? key : null), out);
}

function tableSheet(list) {
  const head = ['number', 'station', 'clock', 'code', 'meaning', 'extent', 'grade', 'source', ...(hasSeveral ? ['inspection'] : ['confidence'])];
  const cells = (o) => [String(o.number), stationWord(o), clockWord(o), fullCode(o), meaning(o), measures(o).slice(0, 3).map((m) => m.join(' ')).join('; '), gradeWord(o), sourceWord(o), hasSeveral ? inspectionWord(o) : isNumber(o.confidence) ? format.share(o.confidence) : '–'];
  return [el('h2', {}, t('observations')), el('table', { class: 'print-list' }, el('thead', {}, el('tr', {}, head.map((name) => el('th', {}, t(name))))),
    el('tbody', {}, list.map((o) => el('tr', {}, cells(o).map((text) => el('td', {}, el('div', { class: 'two' }, cut(text, 110)))))))),
  list.some((o) => meaning(o).length > 110) ? el('p', { class: 'hint' }, `… ${t('continued')}`) : null];
}

// Where a section is worth a drawing: the smallest, the most oval, at the worst observations, and evenly between.
function sectionStations() {
  const out = [], add = (s, why) => isNumber(s) && d.isSeenAt(s) && !out.some((o) => Math.abs(o.s - s) < 0.02) && out.push({ s, why });
  if (about.smallest >= 0) add(d.sections.station[about.smallest], t('smallest_diameter'));
  if (about.mostOval >= 0) add(d.sections.station[about.mostOval], t('largest_ovality'));
  const worst = d.observations.filter((o) => d.isOnWall(o) && o.severity !== null).sort((a, b) => b.severity - a.severity).slice(0, 2);
  for (const o of worst) add(d.middle(o)[0], `${t('number')} ${o.number}`);
  for (const f of [0.5, 0.15, 0.85, 0.3]) add(d.from + f * (d.to - d.from), '');
  return out.slice(0, 4).sort((a, b) => a.s - b.s);
}

export async function buildPaper(parent) {
  const onWall = d.observations.filter(d.isOnWall), sheets = [], inspections = d.data.inspections ?? [];
  sheets.push([el('h1', {}, t('report')), el('p', { class: 'subtitle' }, about.title()), about.warnings().map((text) => el('p', { class: 'warning' }, text)),
    table(about.facts().slice(0, -1)), d.gaps.length ? [el('h2', {}, t('gaps')), el('ul', {}, d.gaps.slice(0, 8).map((g) => el('li', {}, cut(about.gapWord(g), 160))))] : table([[t('gaps'), t('no_gaps')]]),
    inspections.slice(0, 3).map((i) => [el('h2', {}, [t('inspected'), hasSeveral ? i.id : null].filter(Boolean).join(' ')), table(about.inspectionFacts(i).map(([k, v]) => [k, cut(v, 120)]))]),
    el('h2', {}, t('source')), table(about.origin()),
    d.source.warnings?.length ? [el('h2', {}, t('warnings')), el('ul', {}, d.source.warnings.slice(0, 6).map((text) => el('li', {}, cut(text, 220))))] : null,
    el('p', { class: 'hint' }, t('deviation_note'))]);
  const metres = metresPerPage(onWall);
  for (let s = d.from; s < d.to - 1e-6; s += metres) sheets.push(await stripSheet(s, Math.min(s + metres, d.to), metres, onWall));
  sheets.push([el('h2', {}, t('profile')), Object.keys(quantities).map(plot).filter(Boolean).slice(0, 5)]);
  for (let i = 0; i < d.observations.length; i += ROWS) sheets.push(tableSheet(d.observations.slice(i, i + ROWS)));
  sheets.push([el('h2', {}, t('sections')), el('div', { class: 'quads' }, sectionStations().map(({ s, why }) => {
    const { node, times } = drawing(s);
    return el('div', {}, el('h3', {}, [format.station(s), why].filter(Boolean).join(', ')), node, el('p', { class: 'hint' }, times > 1 ? t('exaggerated', { n: times }) : ''), table(figures(s).slice(2, 9)));
  }))]);
  parent.replaceChildren(...sheets.map((content, i) => el('section', { class: 'sheet' }, content,
    el('footer', {}, el('span', {}, cut(about.title(), 80)), el('span', {}, `${t('program')} ${d.data.program.name} ${d.data.program.version}`), el('span', {}, t('page_of', { a: i + 1, n: sheets.length }))))));
  return sheets.length;
}
