// The table of observations, and the one selected in detail. Whatever a record holds stands here as text.
import { el, isNumber } from './dom.js';
import * as d from './data.js';
import * as tiles from './tiles.js';
import { get, on } from './state.js';
import { gradeColour, inkOn } from './colours.js';
import { t, word } from './i18n.js';
import * as format from './format.js';
import { flyTo } from './moves.js';
import { showVideo } from './video.js';

export const kindWord = (o) => (o.kind === 'joint' && o.code === 'BAJ' ? t('displaced_joint') : word(o.kind));
export const meaning = (o) => o.text || o.remark || kindWord(o);
export const fullCode = (o) => [o.code, o.characterisation_1, o.characterisation_2].filter(Boolean).join(' ');
export const sourceWord = (o) => (o.source === 'found' ? t('found') : o.source ?? '');
export const gradeWord = (o) => (o.grade ? format.number(o.grade.value, Number.isInteger(o.grade.value) ? 0 : 1) : '');

export function stationWord(o) {
  if (!d.isOnWall(o)) return isNumber(o.distance) ? `(${format.station(o.distance)})` : '–';
  if (o.station_to - o.station_from < 0.005) return format.station(o.station_from);
  return `${format.bare(o.station_from, 'station')} – ${format.station(o.station_to)}`;
}
export function clockWord(o) {
  if (!isNumber(o.clock_from)) return o.is_ring ? '12 – 12' : '–';
  if (o.is_ring) return '12 – 12';
  const [a, b] = [format.clock(o.clock_from), format.clock(o.clock_to)];
  return a === b ? a : `${a} – ${b}`;
}
// Every measured quantity: word, value with deviation.
export function measures(o) {
  const kinds = { gap: ['gap_width', 'small'], offset: ['offset', 'small'], deflection: ['deflection', 'angle'], length: ['length', 'small'], length_along: ['length_along', 'small'], width: ['width', 'small'],
    area: ['area', 'area'], ring_share: ['ring_share', 'percent'], depth: ['depth', 'small'], section_loss: ['section_loss', 'percent'], volume: ['volume', 'volume'], diameter: ['diameter', 'small'], opening: ['opening', 'small'],
    intrusion: ['intrusion', 'small'], angle: ['angle', 'angle'], radius: ['bend_radius', 'length'], level: ['water', 'percent'] };
  const out = [];
  for (const [name, [label, kind]] of Object.entries(kinds)) {
    const value = o.measures?.[name];
    if (!isNumber(value)) continue;
    let text = format.measured(value, o.measures[`${name}_sd`], kind);
    if (name === 'width' && o.measures.is_width_limit) text = `${t('limit')} ${text}`;
    if (name === 'offset' && isNumber(o.measures.offset_clock)) text += ` → ${format.clock(o.measures.offset_clock)} h`;
    out.push([t(label), text]);
  }
  return out;
}
const extentWord = (o) => measures(o)[0]?.join(' ') ?? '';

// Which of several inspections: its id and date, else its pipe, else its number.
export const inspectionWord = (o) => {
  const inspection = d.data.inspections?.[o.inspection];
  return inspection ? [inspection.id, inspection.date ?? inspection.pipe].filter(Boolean).join(' ') || `${o.inspection + 1}` : '';
};
// The video lies beside the result: the moment of an observation in it, as a link.
const videoLink = (o) => d.source.video_link && isNumber(o.time)
  ? el('a', { href: `${d.source.video_link}#t=${o.time.toFixed(2)}`, target: '_blank', rel: 'noopener', title: t('video_at', { t: format.seconds(o.time) }),
    onclick: (e) => e.stopPropagation(), onkeydown: (e) => e.stopPropagation() }, format.seconds(o.time))
  : null;

export const hasSeveral = (d.data.inspections ?? []).length > 1, hasLinks = d.observations.some(videoLink);
const columns = [
  ['number', (o) => String(o.number), (o) => o.number],
  ['code', fullCode, fullCode],
  ['meaning', meaning, meaning],
  ['station', stationWord, (o) => (d.isOnWall(o) ? o.station_from : Infinity)],
  ['clock', clockWord, (o) => o.clock_from ?? -1],
  ['extent', extentWord, (o) => Object.values(o.measures ?? {}).find(isNumber) ?? -1],
  // What nobody has takes no room.
  ...(d.observations.some((o) => o.grade) ? [['grade', gradeWord, (o) => o.severity ?? -1]] : []),
  ...(hasLinks ? [['video', (o) => (isNumber(o.time) ? format.seconds(o.time) : '–'), (o) => o.time ?? Infinity, videoLink]] : []),
  ['source', sourceWord, sourceWord],
  ...(d.observations.some((o) => isNumber(o.confidence)) ? [['confidence', (o) => (isNumber(o.confidence) ? format.share(o.confidence) : '–'), (o) => o.confidence ?? -1]] : []),
  ...(hasSeveral ? [['inspection', inspectionWord, inspectionWord]] : []),
];
const LONGEST = 90; // characters of a cell; all of a text stands in the detail
const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

// The wall around an observation, from the tiles.
export async function thumbnail(o, width = 320, height = 180) {
  const canvas = el('canvas', { width, height, class: 'thumb', role: 'img', 'aria-label': t('unrolled') }), g = canvas.getContext('2d');
  const [s, angle] = d.middle(o), shape = d.outline(o), down = angle === null ? d.wall.perimeter / 2 : d.toDown(angle);
  const long = Math.max(0.25, (o.station_to - o.station_from) * 1.4, shape ? Math.abs(Math.max(...shape.map((p) => p[1])) - Math.min(...shape.map((p) => p[1]))) * (d.wall.perimeter / d.TURN) * 1.4 * (width / height) : 0, angle === null ? d.wall.perimeter * (width / height) : 0);
  const metre = width / long, level = tiles.levelFor(1 / metre), cell = d.wall.texel * 2 ** level, row = d.wall.perimeter / tiles.levelRows(level);
  const s0 = s - long / 2, top = down - height / metre / 2, size = d.wall.tile;
  g.fillStyle = '#888888';
  g.fillRect(0, 0, width, height);
  for (let x = Math.max(0, Math.floor((s0 - d.from) / cell / size)); x * size < Math.min(tiles.levelCols(level), (s0 + long - d.from) / cell); x++)
    for (let y = 0; y * size < tiles.levelRows(level); y++) {
      const bitmap = await tiles.load(level, x, y);
      // The wall closes: what leaves at the top comes in at the bottom.
      for (const turn of [-1, 0, 1])
        g.drawImage(bitmap, (d.from + x * size * cell - s0) * metre, (y * size * row + turn * d.wall.perimeter - top) * metre, bitmap.width * cell * metre + 0.5, bitmap.height * row * metre + 0.5);
    }
  g.strokeStyle = gradeColour(o);
  g.lineWidth = 2;
  g.beginPath();
  if (shape) {
    shape.forEach(([at, a], i) => g[i ? 'lineTo' : 'moveTo']((at - s0) * metre, (d.toDown(angle ?? 0) + ((a - (angle ?? 0) + Math.PI * 3) % d.TURN - Math.PI) * (d.wall.perimeter / d.TURN) - top) * metre));
    if (!o.is_line) g.closePath();
  } else for (const at of [o.station_from, o.station_to]) {
    g.moveTo((at - s0) * metre, 0);
    g.lineTo((at - s0) * metre, height);
  }
  g.stroke();
  return canvas;
}

function detail(o) {
  const rows = [[t('code'), fullCode(o) || '–'], [t('station'), `${stationWord(o)}${isNumber(o.station_sd) ? ` (± ${format.quantity(o.station_sd, 'small')})` : ''}`], [t('clock'), clockWord(o)], ...measures(o)];
  for (const grade of o.grades ?? []) rows.push([`${t('grade')} (${grade.scale}${grade.aspect ? `, ${grade.aspect}` : ''})`, format.number(grade.value, Number.isInteger(grade.value) ? 0 : 1)]);
  if (isNumber(o.distance)) rows.push([t('distance'), format.station(o.distance)]);
  if (hasSeveral && inspectionWord(o)) rows.push([t('inspection'), inspectionWord(o)]);
  rows.push([t('source'), sourceWord(o)], [t('confidence'), isNumber(o.confidence) ? format.share(o.confidence) : '–']);
  if (meaning(o).length > LONGEST) rows.push([t('meaning'), meaning(o)]); // the heading is cut after three lines
  if (o.remark && o.remark !== meaning(o)) rows.push([t('remark'), o.remark]);
  if (o.kind === 'recorded') rows.push([t('why'), [o.is_placed ? t(o.is_refined ? 'placed_refined' : 'placed_record') : t('not_placed'), o.reason].filter(Boolean).join(': ')]);
  const node = el('section', { class: 'detail', 'aria-label': `${t('number')} ${o.number}` },
    el('h3', {}, el('span', { class: 'chip', style: { background: gradeColour(o), color: inkOn(gradeColour(o)) } }, String(o.number)), ' ', el('span', { class: 'long lines' }, meaning(o))),
    el('table', { class: 'figures' }, el('tbody', {}, rows.map(([label, value]) => el('tr', {}, el('th', { scope: 'row' }, label), el('td', { class: 'long' }, value))))));
  if (d.isOnWall(o)) thumbnail(o).then((canvas) => node.querySelector('h3').after(canvas));
  if (isNumber(o.time) && d.source.video) node.append(el('button', { onclick: () => showVideo(o.time) }, t('video_at', { t: format.seconds(o.time) })));
  return node;
}

export function panel() {
  let sort = { column: 3, sign: 1 };
  const filter = el('input', { type: 'search', placeholder: t('filter_text'), 'aria-label': t('filter'), oninput: () => draw() });
  const kinds = [...new Set(d.observations.map((o) => o.kind))];
  const kind = el('select', { 'aria-label': t('all_kinds'), onchange: () => draw() }, el('option', { value: '' }, t('all_kinds')), kinds.map((name) => el('option', { value: name }, word(name))));
  const inspection = hasSeveral ? el('select', { 'aria-label': t('all_inspections'), onchange: () => draw() }, el('option', { value: '' }, t('all_inspections')),
    d.data.inspections.map((_, i) => el('option', { value: i }, inspectionWord({ inspection: i })))) : null;
  const count = el('span', { class: 'hint', 'aria-live': 'polite' });
  const head = el('tr'), body = el('tbody'), below = el('div', { class: 'below' });
  const shown = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = d.observations.filter((o) => (!kind.value || o.kind === kind.value) && (!inspection?.value || o.inspection === Number(inspection.value)) &&
      words.every((part) => columns.some(([, text]) => text(o).toLowerCase().includes(part)) || (o.remark ?? '').toLowerCase().includes(part)));
    const value = columns[sort.column][2];
    return list.sort((a, b) => {
      const [u, v] = [value(a), value(b)];
      return sort.sign * (typeof u === 'string' ? u.localeCompare(v) : u < v ? -1 : u > v ? 1 : 0) || a.number - b.number;
    });
  };
  const draw = () => {
    const list = shown();
    count.textContent = t('of_n', { a: list.length, n: d.observations.length });
    head.replaceChildren(...columns.map(([name], i) => el('th', { scope: 'col', 'aria-sort': sort.column === i ? (sort.sign > 0 ? 'ascending' : 'descending') : 'none' },
      el('button', { class: 'sort', onclick: () => {
        sort = { column: i, sign: sort.column === i ? -sort.sign : 1 };
        draw();
        head.children[i].firstChild.focus();
      } }, t(name), sort.column === i ? (sort.sign > 0 ? ' ▲' : ' ▼') : ''))));
    body.replaceChildren(...list.map((o) => {
      const colour = gradeColour(o);
      return el('tr', { tabindex: 0, 'data-id': o.id, class: d.isOnWall(o) ? '' : 'unplaced', onclick: () => flyTo(o), onkeydown: (e) => {
        if (e.key === 'Enter') flyTo(o);
        else if (e.key === 'ArrowDown') e.currentTarget.nextElementSibling?.focus();
        else if (e.key === 'ArrowUp') e.currentTarget.previousElementSibling?.focus();
        else return;
        e.preventDefault();
        e.stopPropagation();
      } }, columns.map(([name, text, , node], i) => el('td', { class: name }, node?.(o) ?? (i === 0 ? el('span', { class: 'chip', style: { background: colour, color: inkOn(colour) } }, text(o)) : name === 'meaning' ? el('div', { class: 'lines' }, short(text(o))) : short(text(o))))));
    }));
    mark();
  };
  const mark = () => {
    for (const row of body.children) {
      const isSelected = row.dataset.id === get('selected');
      row.classList.toggle('selected', isSelected);
      row.setAttribute('aria-current', String(isSelected));
      if (isSelected) row.scrollIntoView({ block: 'nearest' });
    }
    const o = d.observation(get('selected'));
    below.replaceChildren(...(o ? [detail(o)] : []));
  };
  on('selected', mark);
  draw();
  return el('div', { class: 'panel-body columns' },
    el('div', { class: 'row' }, filter, kind, inspection, count),
    d.observations.length ? el('div', { class: 'scroll' }, el('table', { class: 'list' }, el('thead', {}, head), body)) : el('p', { class: 'hint' }, t('no_observations')),
    below);
}
