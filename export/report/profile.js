// What was measured along the pipe, over the station: one quantity at a time, with its 95 % interval.
import uPlot from 'uplot';
import { el, isNumber, perFrame } from './dom.js';
import * as d from './data.js';
import { get, on } from './state.js';
import { themed } from './colours.js';
import { t } from './i18n.js';
import * as format from './format.js';
import { focus } from './moves.js';

const S = d.sections, Z = 1.96;
// Of each quantity: its lines (column, deviation, word, stroke, dash) and its kind of unit.
export const quantities = {
  diameter: { kind: 'small', lines: [['diameter_max', 'diameter_max_sd', 'max', '--line-1', [6, 4]], ['diameter_mean', 'diameter_mean_sd', 'mean', '--line-2', []], ['diameter_min', 'diameter_min_sd', 'min', '--line-3', [2, 3]]] },
  ovality: { kind: 'percent', lines: [['ovality', 'ovality_sd', 'from_min', '--line-3', []], ['ovality_max', 'ovality_max_sd', 'from_max', '--line-1', [6, 4]]] },
  water: { kind: 'percent', lines: [['water', 'water_sd', 'water', '--line-2', []]] },
  grade_slope: { kind: 'slope', lines: [['grade', 'grade_sd', 'grade_slope', '--line-2', []]] },
  resolution: { kind: 'fine', lines: [['resolution', null, 'resolution', '--line-2', []]] },
};
const stations = S.station, coverage = stations.map((s) => d.coverageAt(s));
const column = (name) => (name === 'resolution' ? coverage.map((c) => c.resolution) : S[name]);
const isShown = (i) => S.seen[i];

export function rows(quantity) {
  const { kind, lines } = quantities[quantity], factor = format.scaleOf(kind)[0];
  const scaled = (array) => array.map((v, i) => (isNumber(v) && isShown(i) ? v * factor : null));
  const values = lines.map(([name]) => scaled(column(name)));
  // The interval is drawn for the most telling line: the first that has deviations, the mean for diameters.
  const banded = lines.findIndex(([name]) => name === 'diameter_mean') >= 0 ? 1 : 0, sd = lines[banded][1];
  const band = sd ? [1, -1].map((sign) => values[banded].map((v, i) => (v === null || !isNumber(S[sd][i]) ? null : v + sign * Z * S[sd][i] * factor))) : null;
  return { x: stations.map((s) => s * format.scaleOf('station')[0]), values, band, has: values.some((line) => line.some((v) => v !== null)) };
}

export class Profile {
  constructor(parent) {
    this.node = parent;
    this.quantity = 'diameter';
    this.buttons = el('div', { class: 'row choices', role: 'group', 'aria-label': t('profile') }, Object.keys(quantities).map((name) =>
      el('button', { 'data-quantity': name, onclick: () => this.choose(name) }, t(name))));
    this.legend = el('span', { class: 'legend' });
    this.plotNode = el('div', { class: 'plot', tabindex: 0, role: 'img', 'aria-label': t('profile_label') });
    parent.append(el('div', { class: 'row bar' }, this.buttons, this.legend), this.plotNode);
    this.redraw = perFrame(() => this.plot?.redraw(false));
    on('s window', this.redraw);
    on('dressed', () => this.build());
    new ResizeObserver(() => this.resize()).observe(this.plotNode);
    this.choose('diameter');
  }

  choose(name) {
    this.quantity = name;
    for (const button of this.buttons.children) button.setAttribute('aria-pressed', String(button.dataset.quantity === name));
    this.build();
  }

  resize() {
    const w = this.plotNode.clientWidth, h = this.plotNode.clientHeight;
    if (this.plot && w && h) this.plot.setSize({ width: w, height: h });
  }

  build() {
    const { kind, lines } = quantities[this.quantity], { x, values, band, has } = rows(this.quantity), ink = themed('--muted'), grid = themed('--grid');
    const toX = format.scaleOf('station')[0], [factor, unit, decimals] = format.scaleOf(kind), nominal = this.quantity === 'diameter' ? d.pipe.nominal_diameter * factor : null;
    this.plot?.destroy();
    this.plot = null;
    this.plotNode.replaceChildren();
    const swatch = (stroke, dash, text) => el('span', { class: 'key' }, el('i', { style: { borderTopColor: stroke, borderTopStyle: dash?.length ? (dash[0] > 3 ? 'dashed' : 'dotted') : 'solid' } }), text);
    this.legend.replaceChildren(...lines.map(([, , name, stroke, dash]) => swatch(themed(stroke), dash, t(name))));
    if (band) this.legend.append(el('span', { class: 'key' }, el('i', { class: 'band' }), t('interval')));
    if (nominal !== null) this.legend.append(swatch(themed('--line-4'), [6], `${t('nominal')}${d.pipe.is_diameter_assumed ? ` (${t('assumed')})` : ''}`));
    this.legend.append(el('span', { class: 'key' }, el('i', { class: 'hatch' }), t('not_seen')));
    if (!has) {
      this.plotNode.append(el('p', { class: 'hint' }, t('no_values')));
      return;
    }
    const series = [{}, ...lines.map(([, , name, stroke, dash]) => ({ label: t(name), stroke: themed(stroke), width: 1.5, dash, points: { show: false } }))];
    const rowsOf = [x, ...values];
    const bands = [];
    if (band) {
      series.push({ stroke: 'transparent', points: { show: false } }, { stroke: 'transparent', points: { show: false } });
      rowsOf.push(...band);
      bands.push({ series: [rowsOf.length - 2, rowsOf.length - 1], fill: themed('--band') });
    }
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '11px system-ui, sans-serif', labelFont: '11px system-ui, sans-serif' };
    const label = (v, n) => format.number(v, n), tickDecimals = ([a, b]) => (b - a < 0.0995 ? 2 : b - a < 0.995 ? 1 : 0);
    this.plot = new uPlot({
      width: Math.max(100, this.plotNode.clientWidth), height: Math.max(60, this.plotNode.clientHeight), legend: { show: false }, series, bands,
      cursor: { drag: { x: true, y: false }, points: { show: false }, y: false },
      scales: { x: { time: false, range: (u, low, high) => [low, high] }, y: { range: (u, low, high) => {
        const all = nominal === null ? [low, high] : [Math.min(low, nominal), Math.max(high, nominal)], pad = 0.08 * (all[1] - all[0] || 1);
        return [all[0] - pad, all[1] + pad];
      } } },
      axes: [{ ...axis, size: 24, values: (u, ticks) => ticks.map((v) => `${label(v, tickDecimals(ticks))} ${format.unitOf('station')}`) },
        { ...axis, size: 62, space: 20, values: (u, ticks) => ticks.map((v) => `${label(v, tickDecimals(ticks))} ${unit}`) }],
      hooks: { drawClear: [(u) => this.shade(u, toX)], draw: [(u) => this.mark(u, toX, nominal)] },
    }, rowsOf, this.plotNode);
    let start = null;
    this.plot.over.addEventListener('pointerdown', (e) => { start = e.clientX; });
    this.plot.over.addEventListener('pointerup', (e) => {
      if (start !== null && Math.abs(e.clientX - start) < 4) focus(this.plot.posToVal(e.clientX - this.plot.over.getBoundingClientRect().left, 'x') / toX);
      start = null;
    });
  }

  // Unseen stretches hatched, and what the unrolled view shows.
  shade(u, toX) {
    const g = u.ctx, { left, top, width, height } = u.bbox;
    g.save();
    g.beginPath();
    g.rect(left, top, width, height);
    g.clip();
    const window = get('window');
    if (window) {
      const [x0, x1] = window.map((s) => u.valToPos(s * toX, 'x', true));
      g.fillStyle = themed('--window');
      g.fillRect(x0, top, x1 - x0, height);
    }
    g.strokeStyle = themed('--hatch');
    g.lineWidth = 1.5;
    for (const [a, b] of unseen()) {
      const x0 = u.valToPos(a * toX, 'x', true), x1 = Math.max(x0 + 2, u.valToPos(b * toX, 'x', true));
      g.save();
      g.beginPath();
      g.rect(x0, top, x1 - x0, height);
      g.clip();
      g.beginPath();
      for (let x = x0 - height; x < x1; x += 9) {
        g.moveTo(x, top + height);
        g.lineTo(x + height, top);
      }
      g.stroke();
      g.restore();
    }
    g.restore();
  }

  mark(u, toX, nominal) {
    const g = u.ctx, { left, top, width, height } = u.bbox, ratio = window.devicePixelRatio || 1;
    g.save();
    g.beginPath();
    g.rect(left, top, width, height);
    g.clip();
    if (nominal !== null) {
      const y = u.valToPos(nominal, 'y', true);
      g.strokeStyle = themed('--line-4');
      g.setLineDash([8 * ratio, 5 * ratio]);
      g.lineWidth = ratio;
      g.beginPath();
      g.moveTo(left, y);
      g.lineTo(left + width, y);
      g.stroke();
    }
    g.setLineDash([]);
    g.strokeStyle = themed('--accent');
    g.lineWidth = 1.5 * ratio;
    const x = u.valToPos(get('s') * toX, 'x', true);
    g.beginPath();
    g.moveTo(x, top);
    g.lineTo(x, top + height);
    g.stroke();
    g.restore();
  }
}

// Stretches without a measured section.
export function unseen() {
  const out = [];
  let start = null;
  stations.forEach((s, i) => {
    if (!S.seen[i]) start ??= s;
    else if (start !== null) {
      out.push([start, s]);
      start = null;
    }
  });
  if (start !== null) out.push([start, d.to]);
  return out;
}
