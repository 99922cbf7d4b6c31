// The pyramid of the wall's picture: tiles are decoded when they are first asked for, and the least used forgotten.
import { wall } from './data.js';

const MAX_TILES = 160;
const held = new Map(); // id -> ImageBitmap, least recently used first
const asked = new Map(); // id -> promise

export const levels = wall.levels;
export const levelCols = (level) => ((wall.cols - 1) >> level) + 1;
export const levelRows = (level) => wall.rows >> level;

async function decode(id) {
  const text = atob(document.getElementById(id).textContent), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
}

export function tile(level, x, y) {
  const id = `t${level}_${x}_${y}`, there = held.get(id);
  if (there) {
    held.delete(id);
    held.set(id, there);
    return there;
  }
  return null;
}

export function load(level, x, y) {
  const id = `t${level}_${x}_${y}`, there = tile(level, x, y);
  if (there) return Promise.resolve(there);
  if (!asked.has(id))
    asked.set(id, decode(id).then((bitmap) => {
      asked.delete(id);
      held.set(id, bitmap);
      // Forgotten, not closed: somebody may be about to draw it.
      while (held.size > MAX_TILES) held.delete(held.keys().next().value);
      return bitmap;
    }));
  return asked.get(id);
}

// The wall between two columns of a level, on a canvas.
export async function stretch(level, col0, col1) {
  const canvas = document.createElement('canvas'), size = wall.tile;
  canvas.width = col1 - col0;
  canvas.height = levelRows(level);
  const context = canvas.getContext('2d');
  for (let x = Math.floor(col0 / size); x * size < Math.min(col1, levelCols(level)); x++)
    for (let y = 0; y * size < levelRows(level); y++)
      context.drawImage(await load(level, x, y), x * size - col0, y * size);
  return canvas;
}
// The level whose cells are nearest to `metres` wide, not coarser where there is a choice.
export const levelFor = (metres) =>
  Math.max(0, Math.min(levels - 1, Math.floor(Math.log2(Math.max(metres, 1e-9) / wall.texel) + 1e-6)));
