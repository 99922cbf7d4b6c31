// What the views share. set() tells those who asked for a key that it changed; views never call each other.
const values = {
  s: 0, // station in focus, metres
  clock: null, // clock angle in focus, radians; null: along the axis
  selected: null, // id of an observation
  mode: 'inside', // inside, outside, path
  colouring: 'picture', // picture, relief
  showsPath: false,
  isPlaying: false,
  tool: null, // measuring tool in hand
  measurements: [],
  drawing: [], // points of the measurement being made: [station, unwrapped clock angle]
  units: 'metric',
  language: 'en',
  theme: 'auto',
  dressed: 'light', // what theme comes to: light, dark
  window: null, // stations the unrolled view shows: [from, to]
};
const listeners = [];
let group = null;

export const get = (key) => values[key];

export function on(keys, fn) {
  listeners.push({ keys: new Set(keys.split(' ')), fn, group });
}
// Listeners that build() adds make a group, so that what it built can be taken down: forget().
export function during(name, build) {
  const outer = group;
  group = name;
  build();
  group = outer;
}
export function forget(name) {
  for (let i = listeners.length - 1; i >= 0; i--) if (listeners[i].group === name) listeners.splice(i, 1);
}

export function set(changes) {
  const changed = Object.keys(changes).filter((key) => values[key] !== changes[key]);
  if (!changed.length) return;
  Object.assign(values, changes);
  for (const one of [...listeners]) if (listeners.includes(one) && changed.some((key) => one.keys.has(key))) one.fn(changed);
}
