// Going somewhere, for all views alike.
import { clamp, isNumber } from './dom.js';
import * as d from './data.js';
import { get, set } from './state.js';

export function focus(s, clock = get('clock')) {
  set({ s: clamp(s, d.from, d.to), clock });
}
export const moveBy = (metres) => focus(get('s') + metres);
export function flyTo(o) {
  if (d.isOnWall(o)) {
    const [s, clock] = d.middle(o);
    // A ring is seen whole from a diameter before it.
    set({ selected: o.id, s: clamp(clock === null ? s - d.wall.perimeter / Math.PI : s, d.from, d.to), clock, isPlaying: false });
  } else {
    set({ selected: o.id });
  }
}
// The next observation of a kind ('any': all) forwards or backwards from the one selected, else from the station in focus.
export function seekObservation(kind, direction) {
  const fits = d.observations.filter((o) => d.isOnWall(o) && (kind === 'any' || o.kind === kind));
  const selected = d.observation(get('selected'));
  const here = selected && fits.includes(selected) ? fits.indexOf(selected) : null;
  let at;
  if (here !== null) at = here + direction;
  else if (direction > 0) at = fits.findIndex((o) => o.station_from > get('s') + 1e-6);
  else at = fits.findLastIndex((o) => o.station_from < get('s') - 1e-6);
  if (fits[at]) flyTo(fits[at]);
}

// The place in the address, so that it can be sent: #s=12.34&clock=3
export function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1)), s = parseFloat(words.get('s')), clock = parseFloat(words.get('clock'));
  const changes = {};
  if (isNumber(s)) changes.s = clamp(s, d.from, d.to);
  if (isNumber(s) || isNumber(clock)) changes.clock = isNumber(clock) ? d.fromClock(clock) : null;
  if (['inside', 'outside', 'path'].includes(words.get('view'))) changes.mode = words.get('view');
  if (words.get('obs') && d.observation(words.get('obs'))) changes.selected = words.get('obs');
  if (['en', 'de'].includes(words.get('lang'))) changes.language = words.get('lang');
  if (['metric', 'us'].includes(words.get('units'))) changes.units = words.get('units');
  if (['light', 'dark'].includes(words.get('theme'))) changes.theme = words.get('theme');
  return changes;
}
export function address() {
  const words = [`s=${get('s').toFixed(3).replace(/0$/, '')}`];
  if (get('clock') !== null) words.push(`clock=${parseFloat(d.toClock(get('clock')).toFixed(2))}`);
  if (get('mode') !== 'inside') words.push(`view=${get('mode')}`);
  if (get('selected')) words.push(`obs=${encodeURIComponent(get('selected'))}`);
  if (get('language') !== 'en') words.push(`lang=${get('language')}`);
  if (get('units') !== 'metric') words.push(`units=${get('units')}`);
  if (get('theme') !== 'auto') words.push(`theme=${get('theme')}`);
  return `#${words.join('&')}`;
}
