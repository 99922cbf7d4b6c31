// The wall in three dimensions, in pieces of about two metres. Each piece takes mesh and picture as fine as its distance asks
// for; what is out of sight for long is forgotten, so that a long pipe stays light.
import * as three from 'three';
import * as d from './data.js';
import * as tiles from './tiles.js';
import { diverging } from './colours.js';

const { wall, TURN } = d;
const PIECE = (() => {
  // A whole number of tile columns, near two metres.
  const tile = wall.texel * wall.tile, count = 2 ** Math.max(0, Math.round(Math.log2(2 / tile)));
  return { cols: Math.min(count * wall.tile, wall.cols), length: count * tile };
})();
const DETAIL = [ // up to this many diameters away: step along (in radii), segments around, texture cells (of the finest level)
  { within: 8, step: 0.1, segments: 96, level: 0 },
  { within: 25, step: 0.35, segments: 48, level: 1 },
  { within: 80, step: 0.8, segments: 32, level: 3 },
  { within: Infinity, step: 1.6, segments: 24, level: 5 },
];
const MAX_TEXTURE = 2048;

function build(s0, s1, detail) {
  const radius = wall.perimeter / TURN, rings = Math.max(2, Math.ceil((s1 - s0) / (detail.step * radius)) + 1);
  const segments = detail.segments, across = segments + 1, count = rings * across;
  const positions = new Float32Array(3 * count), uvs = new Float32Array(2 * count), colours = new Float32Array(3 * count);
  const origin = d.sectionAt((s0 + s1) / 2).centre, indices = [];
  for (let i = 0; i < rings; i++) {
    const s = s0 + ((s1 - s0) * i) / (rings - 1), section = d.sectionAt(s);
    for (let j = 0; j < across; j++) {
      const angle = wall.cut + (TURN * j) / segments, at = i * across + j, relief = d.reliefAt(s, angle);
      const p = d.pointOn(section, angle, d.radius(section, angle) + (relief ?? 0));
      for (let k = 0; k < 3; k++) positions[3 * at + k] = p[k] - origin[k];
      uvs[2 * at] = i / (rings - 1);
      uvs[2 * at + 1] = 1 - j / segments;
      const rgb = diverging(relief === null ? null : relief / d.reliefRange);
      const colour = new three.Color().setRGB(rgb[0] / 255, rgb[1] / 255, rgb[2] / 255, three.SRGBColorSpace);
      colours.set([colour.r, colour.g, colour.b], 3 * at);
      if (i + 1 < rings && j < segments) indices.push(at, at + across, at + 1, at + 1, at + across, at + across + 1);
    }
  }
  const geometry = new three.BufferGeometry();
  geometry.setAttribute('position', new three.BufferAttribute(positions, 3));
  geometry.setAttribute('uv', new three.BufferAttribute(uvs, 2));
  geometry.setAttribute('color', new three.BufferAttribute(colours, 3));
  geometry.setIndex(indices);
  geometry.computeBoundingSphere();
  return { geometry, origin };
}

class Piece {
  constructor(s0, s1, col0, col1) {
    Object.assign(this, { s0, s1, col0, col1, detail: -1, textureLevel: -1, wanted: -1 });
    this.centre = new three.Vector3(...d.sectionAt((s0 + s1) / 2).centre);
    this.material = new three.MeshBasicMaterial({ color: 0x9aa3ad, side: three.FrontSide });
    this.mesh = new three.Mesh(new three.BufferGeometry(), this.material);
    this.mesh.userData.piece = this;
  }

  setDetail(index, changed) {
    if (index === this.detail) return;
    this.detail = index;
    const { geometry, origin } = build(this.s0, this.s1, DETAIL[index]);
    this.mesh.geometry.dispose();
    this.mesh.geometry = geometry;
    this.mesh.position.set(...origin);
    this.paint(DETAIL[index].level, changed);
  }

  async paint(level, changed) {
    level = Math.min(level, tiles.levels - 1);
    while ((this.col1 - this.col0) >> level > MAX_TEXTURE || tiles.levelRows(level) > MAX_TEXTURE)
      if (level + 1 < tiles.levels) level++;
      else break;
    if (level === this.wanted) return;
    this.wanted = level;
    const canvas = await tiles.stretch(level, this.col0 >> level, Math.max((this.col0 >> level) + 1, this.col1 >> level));
    if (this.wanted !== level) return; // something else is asked for by now
    const texture = new three.CanvasTexture(canvas);
    texture.colorSpace = three.SRGBColorSpace;
    texture.anisotropy = 8;
    texture.wrapT = three.RepeatWrapping;
    this.material.map?.dispose();
    this.picture = texture;
    this.textureLevel = level;
    this.dress(this.isRelief);
    changed();
  }

  dress(isRelief) {
    this.isRelief = isRelief;
    const old = [this.material.map, this.material.vertexColors];
    this.material.map = isRelief ? null : this.picture ?? null;
    this.material.vertexColors = !!isRelief;
    this.material.color.set(isRelief || this.picture ? 0xffffff : 0x9aa3ad);
    if (old[0] !== this.material.map || old[1] !== this.material.vertexColors) this.material.needsUpdate = true;
  }
}

export class Chunks {
  constructor(changed) {
    this.group = new three.Group();
    this.changed = changed;
    this.pieces = [];
    for (let col = 0; col < wall.cols; col += PIECE.cols) {
      const end = Math.min(col + PIECE.cols, wall.cols);
      const piece = new Piece(d.from + col * wall.texel, d.from + end * wall.texel, col, end);
      this.pieces.push(piece);
      this.group.add(piece.mesh);
    }
    this.radius = wall.perimeter / TURN;
  }

  // Detail by distance from the eye; a few pieces a call, the nearest first, so that no frame waits. True: all are as wanted.
  update(eye, isRelief) {
    const todo = [];
    for (const piece of this.pieces) {
      const distance = Math.max(0, piece.centre.distanceTo(eye) - PIECE.length / 2) / (2 * this.radius);
      let index = DETAIL.findIndex((detail) => distance <= detail.within);
      // Coarser only when clearly farther: no flicker at the border.
      if (piece.detail >= 0 && index > piece.detail && distance < DETAIL[piece.detail].within * 1.3) index = piece.detail;
      if (piece.isRelief !== isRelief) piece.dress(isRelief);
      if (index !== piece.detail) todo.push({ piece, index, distance });
    }
    todo.sort((a, b) => a.distance - b.distance);
    // The first time all at once: pictures of half a pipe would cost more than they show.
    const end = performance.now() + (this.isBuilt ? 12 : 250);
    let done = 0;
    for (const { piece, index } of todo) {
      if (done && performance.now() > end) break;
      piece.setDetail(index, this.changed);
      done++;
    }
    this.isBuilt = true;
    return done === todo.length;
  }

  // Whether every piece carries the picture it asked for.
  get isPainted() { return this.pieces.every((piece) => piece.wanted === piece.textureLevel); }

  // Station and clock angle under a ray; null where it meets no wall.
  pick(raycaster) {
    const hit = raycaster.intersectObjects(this.group.children, false)[0];
    if (!hit) return null;
    const { piece } = hit.object.userData;
    return { s: piece.s0 + hit.uv.x * (piece.s1 - piece.s0), clock: d.wrap(wall.cut + (1 - hit.uv.y) * TURN), point: hit.point };
  }
}
