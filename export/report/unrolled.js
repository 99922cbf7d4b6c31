// The unrolled wall: deep zoom over the pyramid of tiles, drawn on demand, with all that is known on it.
import { clamp, el, fitCanvas, isNumber, perFrame } from './dom.js';
import * as d from './data.js';
import * as tiles from './tiles.js';
import { get, on, set } from './state.js';
import { diverging, gradeColour, themed } from './colours.js';
import { t } from './i18n.js';
import * as format from './format.js';
import { Labels } from './labels.js';
import { flyTo, focus } from './moves.js';
import * as measure from './measure.js';

const { wall } = d, MARGIN = { left: 34, right: 8, top: 6, bottom: 18 };

export class Unrolled {
  constructor(parent) {
    this.node = parent;
    this.canvas = parent.appendChild(el('canvas', { tabindex: 0, role: 'application', 'aria-label': t('unrolled_label') }));
    this.read = parent.appendChild(el('div', { class: 'readout', 'aria-live': 'polite' }));
    this.labels = new Labels(parent, (o) => flyTo(o));
    this.draw = perFrame(() => this.paint());
    this.view = null; // { s: station at the left edge, down: metres at the top edge, scale: CSS pixels a metre }
    on('s clock', () => {
      this.reveal();
      this.draw();
    });
    on('selected colouring measurements drawing dressed tool', () => this.draw());
    new ResizeObserver(() => {
      if (this.view && !this.isTouched) this.view = null;
      this.draw();
    }).observe(parent);
    this.listen();
  }

  get width() { return Math.max(1, this.canvas.clientWidth - MARGIN.left - MARGIN.right); }
  get height() { return Math.max(1, this.canvas.clientHeight - MARGIN.top - MARGIN.bottom); }
  get leastScale() { return Math.min(this.width / (d.to - d.from), this.height / wall.perimeter); }

  // At first the whole ring, around the station in focus.
  start() {
    const scale = Math.max(this.leastScale, this.height / wall.perimeter);
    this.view = { s: get('s') - this.width / scale / 3, down: 0, scale };
    this.hold();
  }
  whole() {
    this.isTouched = true;
    this.view = { s: d.from, down: 0, scale: this.leastScale };
    this.hold();
    this.draw();
  }
  hold() {
    const v = this.view, wide = this.width / v.scale, high = this.height / v.scale;
    v.s = wide >= d.to - d.from ? (d.from + d.to - wide) / 2 : clamp(v.s, d.from - 0.1 * wide, d.to - 0.9 * wide);
    v.down = high >= wall.perimeter ? (wall.perimeter - high) / 2 : clamp(v.down, 0, wall.perimeter - high);
    const window = [v.s, v.s + wide];
    if (get('window')?.some((x, i) => x !== window[i]) ?? true) set({ window });
  }
  // The place in focus comes into view.
  reveal() {
    if (!this.view) return;
    const v = this.view, wide = this.width / v.scale, high = this.height / v.scale, s = get('s');
    if (s < v.s + 0.05 * wide || s > v.s + 0.95 * wide) v.s = s - wide / 3;
    if (get('clock') !== null && high < wall.perimeter) {
      const down = d.toDown(get('clock'));
      if (down < v.down + 0.05 * high || down > v.down + 0.95 * high) v.down = down - high / 2;
    }
    this.hold();
  }

  x(s) { return MARGIN.left + (s - this.view.s) * this.view.scale; }
  y(down) { return MARGIN.top + (down - this.view.down) * this.view.scale; }
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { s: this.view.s + (event.clientX - box.left - MARGIN.left) / this.view.scale,
      down: this.view.down + (event.clientY - box.top - MARGIN.top) / this.view.scale };
  }
  isOnWall({ s, down }) { return s >= d.from && s <= d.to && down >= 0 && down <= wall.perimeter; }

  zoom(factor, s = get('s'), down = get('clock') === null ? wall.perimeter / 2 : d.toDown(get('clock'))) {
    const v = this.view, scale = clamp(v.scale * factor, this.leastScale, 8 / wall.texel), ratio = v.scale / scale;
    this.isTouched = true;
    v.s = s - (s - v.s) * ratio;
    v.down = down - (down - v.down) * ratio;
    v.scale = scale;
    this.hold();
    this.draw();
  }

  paint() {
    if (!this.canvas.clientWidth || !this.canvas.clientHeight) return;
    if (!this.view) this.start();
    const g = fitCanvas(this.canvas), w = this.canvas.clientWidth, h = this.canvas.clientHeight;
    g.clearRect(0, 0, w, h);
    g.save();
    g.beginPath();
    g.rect(MARGIN.left, MARGIN.top, this.width, this.height);
    g.clip();
    this.isComplete = this.paintTiles(g);
    if (get('colouring') === 'relief') this.paintRelief(g);
    this.paintGaps(g);
    this.paintObservations(g);
    this.paintMeasures(g);
    this.paintCross(g);
    g.restore();
    this.paintAxes(g, w, h);
    this.placeLabels(w, h);
  }

  // Coarser tiles that are there stand in for finer ones that are still being decoded.
  paintTiles(g) {
    const ratio = window.devicePixelRatio || 1, v = this.view, want = tiles.levelFor(1 / (v.scale * ratio));
    let isComplete = true;
    g.imageSmoothingQuality = 'high';
    for (let level = tiles.levels - 1; level >= want; level--) {
      const cell = wall.texel * 2 ** level, row = wall.perimeter / tiles.levelRows(level), size = wall.tile;
      if (level > want && level < tiles.levels - 1 && level > want + 2) continue;
      const x0 = Math.max(0, Math.floor((v.s - d.from) / cell / size));
      const x1 = Math.min(Math.ceil(tiles.levelCols(level) / size), Math.ceil((v.s + this.width / v.scale - d.from) / cell / size));
      const y0 = Math.max(0, Math.floor(v.down / row / size));
      const y1 = Math.min(Math.ceil(tiles.levelRows(level) / size), Math.ceil((v.down + this.height / v.scale) / row / size));
      for (let x = x0; x < x1; x++)
        for (let y = y0; y < y1; y++) {
          const bitmap = tiles.tile(level, x, y);
          if (bitmap) {
            const left = this.x(d.from + x * size * cell), top = this.y(y * size * row);
            // Half a device pixel more hides the seam between tiles.
            g.drawImage(bitmap, left, top, bitmap.width * cell * v.scale + 0.5 / ratio, bitmap.height * row * v.scale + 0.5 / ratio);
          } else if (level === want || level === tiles.levels - 1) {
            isComplete = false;
            tiles.load(level, x, y).then(this.draw);
          }
        }
    }
    return isComplete;
  }

  paintRelief(g) {
    const { cols, rows, step } = d.data.relief, v = this.view;
    const x0 = clamp(Math.floor((v.s - d.from) / step), 0, cols - 1), x1 = clamp(Math.ceil((v.s + this.width / v.scale - d.from) / step), x0 + 1, cols);
    const every = Math.max(1, Math.floor((x1 - x0) / 2000)), n = Math.ceil((x1 - x0) / every);
    const picture = new ImageData(n, rows);
    for (let i = 0; i < n; i++)
      for (let y = 0; y < rows; y++) {
        const value = d.reliefCell(Math.min(x0 + i * every, cols - 1), y);
        picture.data.set([...diverging(value === null ? null : value / d.reliefRange), value === null ? 0 : 205], 4 * (y * n + i));
      }
    const canvas = this.scratch ??= document.createElement('canvas');
    canvas.width = n;
    canvas.height = rows;
    canvas.getContext('2d').putImageData(picture, 0, 0);
    g.drawImage(canvas, this.x(d.from + x0 * step), this.y(0), n * every * step * v.scale, wall.perimeter * v.scale);
  }

  // A bar along the top where the camera's way is not known, hatched where nobody saw the wall: it may be seen from before a gap.
  paintGaps(g) {
    g.font = '12px system-ui, sans-serif';
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    const bottom = this.y(wall.perimeter), top = this.y(0), middle = (Math.max(top, MARGIN.top) + Math.min(bottom, MARGIN.top + this.height)) / 2;
    for (const [from, to] of d.darkStretches) {
      g.fillStyle = hatch(g);
      g.fillRect(this.x(from), top, Math.max(1, this.x(to) - this.x(from)), bottom - top);
      this.caption(g, t('not_seen'), this.x(from), this.x(to), middle);
    }
    for (const gap of d.gaps) {
      const x0 = this.x(gap.station_from), isKnown = isNumber(gap.station_to), x1 = isKnown ? this.x(gap.station_to) : x0;
      g.fillStyle = '#ffd166';
      g.fillRect(x0, MARGIN.top + this.height - 5, Math.max(3, x1 - x0), 5);
      if (!isKnown) g.fillRect(x0 - 1, top, 3, bottom - top);
      this.caption(g, isKnown ? t('gap') : `${t('gap')}: ${t('unknown_length')}`, x0, isKnown ? x1 : x0 + 260, MARGIN.top + this.height - 14, true);
    }
  }
  // In the middle, or at the start, of what shows of a stretch, where it has room.
  caption(g, text, x0, x1, y, isAtStart) {
    const wide = g.measureText(text).width, low = Math.max(x0, MARGIN.left), high = Math.min(x1, MARGIN.left + this.width);
    if (high - low < wide + 2) return;
    const x = isAtStart ? low + wide / 2 + Math.min(4, (high - low - wide) / 2) : (low + high) / 2;
    g.fillStyle = '#ffffff';
    g.strokeStyle = '#000000';
    g.lineWidth = 3;
    g.strokeText(text, x, y);
    g.fillText(text, x, y);
  }

  // A run on the wall, drawn again a turn off where it leaves the top or bottom edge.
  path(g, points, isClosed) {
    for (const turn of [-1, 0, 1]) {
      g.beginPath();
      points.forEach(([s, a], i) => {
        const base = d.toDown(points[0][1]) + ((a - points[0][1]) / d.TURN) * wall.perimeter + turn * wall.perimeter;
        g[i ? 'lineTo' : 'moveTo'](this.x(s), this.y(base));
      });
      if (isClosed) g.closePath();
      g.stroke();
    }
  }

  paintObservations(g) {
    for (const o of d.observations) {
      if (!d.isOnWall(o)) continue;
      const isSelected = o.id === get('selected'), shape = d.outline(o);
      for (const [width, colour] of [[isSelected ? 5 : 3, 'rgba(0,0,0,0.55)'], [isSelected ? 3 : 1.5, isSelected ? '#00d5ff' : gradeColour(o)]]) {
        g.lineWidth = width;
        g.strokeStyle = colour;
        g.setLineDash(o.is_refined || o.kind !== 'recorded' || o.outline ? [] : [6, 4]);
        if (shape) this.path(g, shape, !o.is_line);
        else for (const s of new Set([o.station_from, o.station_to])) {
          g.beginPath();
          g.moveTo(this.x(s), this.y(0));
          g.lineTo(this.x(s), this.y(wall.perimeter));
          g.stroke();
        }
      }
      g.setLineDash([]);
    }
  }

  paintMeasures(g) {
    g.lineWidth = 2;
    g.strokeStyle = '#ff3ea5';
    g.fillStyle = '#ff3ea5';
    for (const item of [...get('measurements'), { tool: get('tool'), points: get('drawing') }]) {
      if (!item.points.length) continue;
      this.path(g, item.points, item.tool === 'area');
      for (const [s, a] of item.points) g.fillRect(this.x(s) - 3, this.y(d.toDown(a)) - 3, 6, 6);
    }
  }

  paintCross(g) {
    const x = this.x(get('s')), clock = get('clock');
    for (const [width, colour] of [[3, 'rgba(0,0,0,0.5)'], [1, '#00d5ff']]) {
      g.lineWidth = width;
      g.strokeStyle = colour;
      g.beginPath();
      g.moveTo(x, MARGIN.top);
      g.lineTo(x, MARGIN.top + this.height);
      if (clock !== null) {
        const y = this.y(d.toDown(clock));
        g.moveTo(x - 14, y);
        g.lineTo(x + 14, y);
      }
      g.stroke();
    }
  }

  paintAxes(g, w, h) {
    const v = this.view, ink = themed('--muted');
    g.fillStyle = ink;
    g.strokeStyle = ink;
    g.lineWidth = 1;
    g.font = '11px system-ui, sans-serif';
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    const clocks = v.scale * wall.perimeter > 260 ? 12 : 4;
    for (let k = 0; k <= clocks; k++) {
      const down = (k / clocks) * wall.perimeter, y = clamp(this.y(down), MARGIN.top + 5, MARGIN.top + this.height - 5);
      if (this.y(down) < MARGIN.top - 2 || this.y(down) > MARGIN.top + this.height + 2) continue;
      const hours = Math.round(d.toClock(d.fromDown(down)) * 10) / 10 || 12;
      g.fillText(`${hours} h`, MARGIN.left - 6, y);
    }
    g.textAlign = 'center';
    g.textBaseline = 'top';
    const [factor, unit] = format.scaleOf('station'), step = niceStep((90 / v.scale) * factor) / factor;
    for (let s = Math.ceil(Math.max(v.s, d.from) / step) * step; s <= Math.min(d.to, v.s + this.width / v.scale) + 1e-9; s += step) {
      const x = this.x(s);
      g.fillRect(x, MARGIN.top + this.height, 1, 4);
      if (x < MARGIN.left + 14 || x > w - 24) continue;
      g.fillText(`${format.number(s * factor, step * factor < 0.1 ? 2 : step * factor < 1 ? 1 : 0)} ${unit}`, x, MARGIN.top + this.height + 5);
    }
  }

  placeLabels(w, h) {
    const bar = this.node.querySelector('.floating'), buttons = bar ? [bar.offsetLeft, bar.offsetTop, bar.offsetLeft + bar.offsetWidth, bar.offsetTop + bar.offsetHeight] : [w, 0, w, 0];
    const items = d.observations.filter(d.isOnWall).map((o) => {
      const [s, clock] = d.middle(o);
      const rank = (o.id === get('selected') ? 100 : 0) + (o.severity ?? 0) + (o.kind === 'joint' && !o.code ? -1 : 0);
      const top = Math.max(this.y(0), MARGIN.top);
      // Rings carry theirs at the top, below the buttons there.
      return { o, x: this.x(s), y: clock === null ? top + (this.x(s) > buttons[0] - 14 && top < buttons[3] ? buttons[3] + 12 - top : 10) : Math.max(top + 10, this.y(d.toDown(clock)) - 14), rank };
    }).filter(({ x }) => x > MARGIN.left && x < w - MARGIN.right);
    items.sort((a, b) => b.rank - a.rank);
    this.labels.show(items, w, h - MARGIN.bottom, [buttons]);
  }

  say(s, angle) {
    const cell = d.resolutionAt(s, angle), relief = d.reliefAt(s, angle);
    this.read.textContent = [format.station(s), `${format.clock(angle)} h`,
      `${t('resolution')} ${cell === null ? t('not_seen') : format.quantity(cell, 'fine')}`,
      relief === null ? null : `${t('relief')} ${format.quantity(relief, 'small')}`].filter(Boolean).join(' · ');
  }

  listen() {
    const c = this.canvas;
    let held = null;
    c.addEventListener('pointerdown', (e) => {
      held = { x: e.clientX, y: e.clientY, moved: 0 };
      c.setPointerCapture(e.pointerId);
    });
    c.addEventListener('pointermove', (e) => {
      if (!this.view) return;
      const at = this.at(e);
      if (this.isOnWall(at)) this.say(at.s, d.fromDown(at.down));
      if (!held) return;
      const dx = e.clientX - held.x, dy = e.clientY - held.y;
      held.moved += Math.abs(dx) + Math.abs(dy);
      Object.assign(held, { x: e.clientX, y: e.clientY });
      if (held.moved < 4) return;
      this.isTouched = true;
      this.view.s -= dx / this.view.scale;
      this.view.down -= dy / this.view.scale;
      this.hold();
      this.draw();
    });
    c.addEventListener('pointerup', (e) => {
      const isClick = held && held.moved < 4, at = this.at(e);
      held = null;
      if (!isClick || !this.isOnWall(at)) return;
      if (get('tool')) measure.addPoint(at.s, d.fromDown(at.down));
      else focus(at.s, d.fromDown(at.down));
    });
    c.addEventListener('dblclick', (e) => {
      const at = this.at(e);
      if (get('tool')) measure.finish();
      else this.zoom(2, at.s, at.down);
    });
    c.addEventListener('wheel', (e) => {
      e.preventDefault();
      const at = this.at(e);
      if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
        this.isTouched = true;
        this.view.s += (e.deltaX || e.deltaY) / this.view.scale;
        this.hold();
        this.draw();
      } else this.zoom(Math.exp(-clamp(e.deltaY, -200, 200) * 0.0018), at.s, at.down);
    }, { passive: false });
    c.addEventListener('keydown', (e) => {
      const step = (e.shiftKey ? 40 : 4) / this.view.scale, angle = get('clock') ?? 0, turn = (step / wall.perimeter) * d.TURN;
      if (e.key === 'ArrowRight' || e.key === 'ArrowLeft') focus(get('s') + (e.key === 'ArrowRight' ? step : -step), angle);
      else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') focus(get('s'), d.wrap(angle + (e.key === 'ArrowDown' ? turn : -turn)));
      else if (e.key === '+' || e.key === '-') this.zoom(e.key === '+' ? 1.4 : 1 / 1.4);
      else if (e.key === ' ' && get('tool')) measure.addPoint(get('s'), angle);
      else return;
      if (get('clock') !== null) this.say(get('s'), get('clock'));
      e.preventDefault();
      e.stopPropagation();
    });
  }
}

export const niceStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((k) => k * power).find((step) => step >= least * 0.999);
};

let pattern = null;
export function hatch(g) {
  if (pattern) return pattern;
  const tile = el('canvas', { width: 10, height: 10 }), p = tile.getContext('2d');
  p.fillStyle = 'rgb(104,104,104)';
  p.fillRect(0, 0, 10, 10);
  p.strokeStyle = 'rgb(160,160,160)';
  p.lineWidth = 3;
  p.beginPath();
  for (const x of [-10, 0, 10]) {
    p.moveTo(x, 10);
    p.lineTo(x + 10, 0);
  }
  p.stroke();
  pattern = g.createPattern(tile, 'repeat');
  return pattern;
}
