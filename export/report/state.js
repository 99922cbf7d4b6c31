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
  window: null, // stations the unrolled view shows: [from, to]
};
const listeners = [];

export const get = (key) => values[key];

export function on(keys, fn) {
  listeners.push({ keys: new Set(keys.split(' ')), fn });
}

export function set(changes) {
  const changed = Object.keys(changes).filter((key) => values[key] !== changes[key]);
  if (!changed.length) return;
  Object.assign(values, changes);
  for (const { keys, fn } of [...listeners]) if (changed.some((key) => keys.has(key))) fn(changed);
}
