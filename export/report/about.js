// Where the numbers come from and what they are worth: the head of the page, and the cover on paper.
import { el, isNumber } from './dom.js';
import * as d from './data.js';
import { t, word } from './i18n.js';
import * as format from './format.js';
import { table } from './section.js';

const S = d.sections;
const best = (name, isBetter) => {
  let at = -1;
  S[name].forEach((v, i) => {
    if (S.seen[i] && isNumber(v) && (at < 0 || isBetter(v, S[name][at]))) at = i;
  });
  return at;
};
export const smallest = best('diameter_min', (a, b) => a < b), mostOval = best('ovality', (a, b) => a > b);
const median = (list) => list.filter(isNumber).sort((a, b) => a - b)[Math.floor(list.filter(isNumber).length / 2)];
export const meanDiameter = median(S.diameter_mean.filter((_, i) => S.seen[i]));
const coverage = Array.from({ length: d.data.coverage.cols }, (_, x) => d.coverageAt(d.from + (x + 0.5) * d.data.coverage.step));

export function title() {
  const pipe = d.data.inspections?.[0]?.pipe;
  return pipe || (d.source.video ?? t('report'));
}

export function warnings() {
  const out = [];
  if (d.pipe.is_diameter_assumed) out.push(t('assumed_diameter'));
  if (d.pipe.is_lens_assumed) out.push(t('assumed_lens'));
  if (d.source.is_incomplete) out.push(t('incomplete'));
  return out;
}

export function facts() {
  const mark = (text, isAssumed) => (isAssumed ? `${text} (${t('assumed')})` : text), list = [];
  list.push([t('nominal_diameter'), mark(format.quantity(d.pipe.nominal_diameter, 'small'), d.pipe.is_diameter_assumed)]);
  list.push([t('measured_length'), mark(format.measured(d.pipe.length, d.pipe.length_sd, 'length'), d.pipe.is_lens_assumed)]);
  list.push([t('stations'), `${format.bare(d.from, 'station')} – ${format.station(d.to)}`]);
  list.push([t('mean_diameter'), format.measured(meanDiameter, median(S.diameter_mean_sd.filter((_, i) => S.seen[i])), 'small')]);
  if (smallest >= 0) list.push([t('smallest_diameter'), `${format.measured(S.diameter_min[smallest], S.diameter_min_sd[smallest], 'small')} (${format.station(S.station[smallest])})`]);
  if (mostOval >= 0) list.push([t('largest_ovality'), `${format.measured(S.ovality[mostOval], S.ovality_sd[mostOval], 'percent')} (${format.station(S.station[mostOval])})`]);
  list.push([t('seen_share'), format.share(coverage.reduce((sum, c) => sum + c.seen, 0) / coverage.length)]);
  list.push([t('median_resolution'), format.quantity(median(coverage.map((c) => c.resolution)), 'fine')]);
  list.push([t('picture_cell'), t('picture_cell_value', { a: format.quantity(d.wall.texel, 'fine'), b: format.quantity(d.wall.measured_texel, 'fine') })]);
  list.push([t('gaps'), d.gaps.length ? d.gaps.map(gapWord).join('; ') : t('no_gaps')]);
  return list;
}
export const gapWord = (g) => `${isNumber(g.station_to) ? `${format.bare(g.station_from, 'station')} – ${format.station(g.station_to)}` : `${format.station(g.station_from)}, ${t('unknown_length')}`} (${format.seconds(g.time_from)} – ${format.seconds(g.time_to)}: ${g.reason})`;

export function inspectionFacts(inspection) {
  return ['pipe', 'node_start', 'node_end', 'direction', 'date', 'street', 'town', 'material', 'standard', 'operator']
    .filter((name) => inspection[name]).map((name) => [t(name), name === 'direction' ? word(inspection[name]) : inspection[name]]);
}
export function origin() {
  const list = [];
  if (d.source.video) list.push([t('video'), d.source.video]);
  if (d.source.sha256) list.push([t('hash'), d.source.sha256]);
  if (d.source.started) list.push([t('made'), d.source.started]);
  list.push([t('program'), `${d.data.program.name} ${d.source.program_version ?? d.data.program.version}`]);
  return list;
}

export function panel() {
  return el('div', { class: 'panel-body' }, warnings().map((text) => el('p', { class: 'warning' }, text)),
    table(facts()),
    (d.data.inspections ?? []).map((inspection) => [el('h3', {}, t('inspected')), table(inspectionFacts(inspection))]),
    el('h3', {}, t('source')), table(origin()),
    d.source.warnings?.length ? [el('h3', {}, t('warnings')), el('ul', {}, d.source.warnings.map((text) => el('li', {}, text)))] : null,
    el('h3', {}, t('keys')), el('p', { class: 'hint' }, t('keys_text')));
}
