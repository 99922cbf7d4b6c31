// The page: puts the views together and listens to the keys that hold everywhere.
import { clamp, el } from './dom.js';
import * as d from './data.js';
import { during, forget, get, on, set } from './state.js';
import { t } from './i18n.js';
import * as format from './format.js';
import * as about from './about.js';
import * as measure from './measure.js';
import * as observations from './observations.js';
import * as sectionPanel from './section.js';
import { address, focus, moveBy, readAddress, seekObservation } from './moves.js';
import { Profile } from './profile.js';
import { Unrolled } from './unrolled.js';
import { View3d } from './view3d.js';
import { buildPaper } from './paper.js';

const diameter = d.wall.perimeter / Math.PI, app = document.getElementById('app'), views = {};
const pressed = (button, key, value) => {
  const show = () => button.setAttribute('aria-pressed', String(get(key) === value));
  on(key, show);
  show();
  return button;
};

function header() {
  const choice = (key, values, label, word) => el('select', { 'aria-label': label, title: label, 'data-choice': key, onchange: (e) => set({ [key]: e.target.value }) },
    values.map((value) => el('option', { value, selected: get(key) === value }, word(value))));
  const key = [`${t('nominal_diameter')} ${format.quantity(d.pipe.nominal_diameter, 'small')}`, `${format.bare(d.from, 'station')} – ${format.station(d.to)}`];
  return el('header', {}, el('h1', {}, about.title()), el('span', { class: 'facts' }, key.join(' · ')),
    about.warnings().length ? el('button', { class: 'badge', title: about.warnings().join('. '), onclick: () => set({ tab: 'about' }) }, `⚠ ${d.pipe.is_diameter_assumed || d.pipe.is_lens_assumed ? t('scale_assumed') : t('incomplete')}`) : null,
    el('span', { class: 'space' }),
    choice('language', ['en', 'de'], t('language'), (v) => ({ en: 'English', de: 'Deutsch' })[v]),
    choice('units', ['metric', 'us'], t('units'), t), choice('theme', ['auto', 'light', 'dark'], t('theme'), t),
    el('button', { onclick: () => print() }, t('print')));
}

function controls() {
  const slider = el('input', { type: 'range', min: d.from, max: d.to, step: 0.01, 'aria-label': t('station'), oninput: () => focus(Number(slider.value)) });
  const number = el('output', { class: 'figure' });
  const play = el('button', { class: 'play', onclick: () => set({ isPlaying: !get('isPlaying') }) });
  const kinds = ['any', ...new Set(d.observations.filter(d.isOnWall).map((o) => o.kind).filter((kind) => ['joint', 'lateral', 'bend', 'recorded'].includes(kind)))];
  const kind = el('select', { 'aria-label': t('jump_to'), title: t('jump_to') }, kinds.map((name) => el('option', { value: name }, t(name))));
  const show = () => {
    slider.value = get('s');
    slider.setAttribute('aria-valuetext', format.station(get('s')));
    number.textContent = `${format.station(get('s'))}${get('clock') === null ? '' : ` · ${format.clock(get('clock'))} h`}`;
    play.textContent = get('isPlaying') ? '❚❚' : '▶';
    play.setAttribute('aria-label', t(get('isPlaying') ? 'pause' : 'play'));
    play.title = t(get('isPlaying') ? 'pause' : 'play');
  };
  on('s clock isPlaying', show);
  show();
  return el('div', { class: 'row controls' }, play, slider, number,
    el('button', { disabled: kinds.length < 2, 'aria-label': t('previous'), title: t('previous'), onclick: () => seekObservation(kind.value, -1) }, '◀'), kind,
    el('button', { disabled: kinds.length < 2, 'aria-label': t('next'), title: t('next'), onclick: () => seekObservation(kind.value, 1) }, '▶'));
}

function legend() {
  const node = el('div', { class: 'relief-legend' });
  const show = () => {
    node.hidden = get('colouring') !== 'relief';
    node.replaceChildren(el('span', {}, t('relief_legend')),
      el('span', { class: 'row' }, `−${format.quantity(d.reliefRange, 'small')} ${t('inwards')}`, el('i', { class: 'ramp' }), `+${format.quantity(d.reliefRange, 'small')} ${t('outwards')}`),
      el('span', {}, el('i', { class: 'unmeasured' }), t('no_values'), ' ', el('i', { class: 'hatch' }), t('not_seen')));
  };
  on('colouring', show);
  show();
  return node;
}

// The stage of the 3D view stays when the page around it is built again.
const stage = el('div', { class: 'stage' });

function view3d() {
  const bar = el('div', { class: 'row bar floating' }, el('span', { class: 'row choices', role: 'group', 'aria-label': t('view3d') },
    ['inside', 'outside', 'path'].map((mode) => pressed(el('button', { title: t(`${mode}_hint`), onclick: () => set({ mode }) }, t(mode)), 'mode', mode))),
  pressed(el('button', { onclick: () => set({ colouring: get('colouring') === 'relief' ? 'picture' : 'relief' }) }, t('relief')), 'colouring', 'relief'),
  pressed(el('button', { onclick: () => set({ showsPath: !get('showsPath') }) }, t('show_path')), 'showsPath', true));
  return el('section', { class: 'view three', 'aria-label': t('view3d') }, stage, bar, legend(), controls());
}
function start3d() {
  try {
    views.three = new View3d(stage);
  } catch {
    stage.append(el('p', { class: 'hint' }, t('no_webgl')));
  }
}

function side() {
  const tabs = { observations: observations.panel, section: sectionPanel.panel, measure: measure.panel, about: about.panel };
  const bodies = {}, buttons = {};
  const bar = el('div', { class: 'row tabs', role: 'tablist' });
  const node = el('aside', { class: 'view side' }, bar);
  const show = (name) => {
    for (const key of Object.keys(tabs)) {
      buttons[key].setAttribute('aria-selected', String(key === name));
      buttons[key].tabIndex = key === name ? 0 : -1;
      bodies[key].hidden = key !== name;
    }
    bodies[name].firstChild.refresh?.();
  };
  const names = Object.keys(tabs);
  for (const name of names) {
    buttons[name] = el('button', { role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`, onclick: () => set({ tab: name }), onkeydown: (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!step) return;
      const to = names[(names.indexOf(name) + step + names.length) % names.length];
      set({ tab: to });
      buttons[to].focus();
      e.preventDefault();
      e.stopPropagation();
    } }, name === 'observations' ? `${t(name)} (${d.observations.length})` : t(name));
    bodies[name] = el('div', { role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}`, class: 'panel' }, tabs[name]());
    bar.append(buttons[name]);
    node.append(bodies[name]);
  }
  on('tab', () => show(get('tab')));
  show(get('tab'));
  return node;
}

function buildViews() {
  document.documentElement.lang = get('language');
  document.title = `${about.title()} – Intrados`;
  const unrolled = el('section', { class: 'view unrolled', 'aria-label': t('unrolled') }), profile = el('section', { class: 'view profile', 'aria-label': t('profile') });
  app.replaceChildren(header(), view3d(), side(), unrolled, profile);
  views.unrolled = new Unrolled(unrolled);
  unrolled.append(el('div', { class: 'row floating right' }, el('button', { class: 'small', onclick: () => views.unrolled.whole() }, t('reset_view')),
    el('button', { class: 'small', 'aria-label': '+', onclick: () => views.unrolled.zoom(1.5) }, '+'), el('button', { class: 'small', 'aria-label': '−', onclick: () => views.unrolled.zoom(1 / 1.5) }, '−')));
  views.profile = new Profile(profile);
}
// Another language or unit changes every word: all but the 3D view is built again, around what is kept in the state.
function build() {
  const { view, isTouched } = views.unrolled ?? {};
  forget('views');
  during('views', buildViews);
  if (view) Object.assign(views.unrolled, { view, isTouched });
  if (views.three) views.three.canvas.setAttribute('aria-label', t('view3d_label'));
  else start3d();
}

const dark = matchMedia('(prefers-color-scheme: dark)');
function dress() {
  const dressed = get('theme') === 'auto' ? (dark.matches ? 'dark' : 'light') : get('theme');
  document.documentElement.dataset.theme = dressed;
  set({ dressed });
}

document.addEventListener('keydown', (e) => {
  if (e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey || ['INPUT', 'SELECT', 'TEXTAREA', 'BUTTON'].includes(e.target.tagName) && !['Escape', 'PageUp', 'PageDown'].includes(e.key)) return;
  const done = {
    PageUp: () => moveBy(diameter), PageDown: () => moveBy(-diameter), ArrowRight: () => moveBy(diameter / 4), ArrowLeft: () => moveBy(-diameter / 4),
    Home: () => focus(d.from), End: () => focus(d.to), n: () => seekObservation('any', 1), p: () => seekObservation('any', -1),
    ' ': () => set({ isPlaying: !get('isPlaying') }), 1: () => set({ mode: 'inside' }), 2: () => set({ mode: 'outside' }), 3: () => set({ mode: 'path' }),
    '+': () => views.three?.zoom(0.8), '-': () => views.three?.zoom(1.25), Enter: () => measure.finish(), Escape: () => measure.drop(),
  }[e.key];
  if (!done) return;
  e.preventDefault();
  done();
});

set({ s: d.firstSeen(), tab: d.observations.length ? 'observations' : 'section' });
set(readAddress());
dress();
dark.addEventListener('change', dress);
build();

let timer = 0;
on('s clock mode selected language units theme', () => {
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(null, '', address()), 150);
});
addEventListener('hashchange', () => set(readAddress()));
on('theme', dress);
on('language units', (changed) => {
  const isFocused = document.activeElement?.dataset.choice === changed[0];
  build();
  if (isFocused) document.querySelector(`[data-choice=${changed[0]}]`).focus();
  if (window.intrados.paper) printable();
});

// For scripts and tests: what is shown, and whether it is ready.
window.intrados = {
  get, set, focus, data: d, measure,
  camera: () => views.three && { position: views.three.camera.position.toArray(), station: views.three.now.s - (views.three.standoffNow ?? 0), direction: views.three.camera.getWorldDirection(views.three.camera.position.clone()).toArray() },
  pixelOf: (s, clock) => {
    const box = views.unrolled.canvas.getBoundingClientRect();
    return [box.left + views.unrolled.x(s), box.top + views.unrolled.y(d.toDown(clock))];
  },
  pixelOf3d: (s, clock) => {
    const p = d.wallPoint(s, clock), box = views.three.canvas.getBoundingClientRect(), v = views.three.camera.position.clone().set(...p).project(views.three.camera);
    return [box.left + ((v.x + 1) / 2) * box.width, box.top + ((1 - v.y) / 2) * box.height];
  },
  isReady: () => !!views.unrolled.isComplete && (!views.three || !!views.three.isSettled),
  cost: () => views.three?.cost(), views, paper: null,
};
const start = performance.now();
const wait = () => {
  if (!window.intrados.isReady() && performance.now() - start < 60000) return setTimeout(wait, 30);
  window.intrados.readyAfter = performance.now();
  printable();
};
function printable() {
  window.intrados.isPaperReady = false;
  const paper = buildPaper(document.getElementById('paper')).then(() => {
    if (window.intrados.paper === paper) window.intrados.isPaperReady = true; // else another one is being made
  });
  window.intrados.paper = paper;
}
wait();
