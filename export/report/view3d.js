// The pipe in three dimensions: inside along the axis, outside with the near wall looked through, or as the camera drove.
import * as three from 'three';
import { clamp, el } from './dom.js';
import * as d from './data.js';
import { get, on, set } from './state.js';
import { Chunks } from './chunks.js';
import { Labels } from './labels.js';
import { gradeColour } from './colours.js';
import { t } from './i18n.js';
import { flyTo, focus, moveBy } from './moves.js';
import * as measure from './measure.js';

const radius = d.wall.perimeter / d.TURN, still = matchMedia('(prefers-reduced-motion: reduce)');
const vector = (v) => new three.Vector3(...v);
const ease = (value, goal, share) => value + (goal - value) * share;
const turnTo = (value, goal, share) => value + Math.atan2(Math.sin(goal - value), Math.cos(goal - value)) * share;

export class View3d {
  constructor(parent) {
    this.node = parent;
    this.canvas = parent.appendChild(el('canvas', { tabindex: 0, role: 'application', 'aria-label': t('view3d_label') }));
    this.renderer = new three.WebGLRenderer({ canvas: this.canvas, antialias: true, powerPreference: 'high-performance' });
    this.scene = new three.Scene();
    this.camera = new three.PerspectiveCamera(70, 1, 0.01 * radius, 4000);
    this.camera.up.set(0, 0, 1);
    this.chunks = new Chunks(() => this.askSoon());
    this.overlay = new three.Group();
    this.scene.add(this.chunks.group, this.overlay);
    this.labels = new Labels(parent, (o) => flyTo(o));
    // What is shown now, and where it is going: station, and the direction of view against the axis.
    this.now = { s: get('s'), yaw: 0, pitch: 0 };
    this.goal = { ...this.now };
    this.orbit = { azimuth: -2.2, height: 0.35, distance: clamp((d.to - d.from) * 0.6, 8 * radius, 60 * radius) };
    this.orbitNow = { ...this.orbit };
    this.listen();
    on('s clock mode', (changed) => this.follow(changed));
    on('colouring showsPath selected measurements drawing dressed', () => this.decorate());
    on('isPlaying', () => this.ask());
    new ResizeObserver(() => this.ask()).observe(parent);
    this.decorate();
    this.follow(['s', 'clock']);
    Object.assign(this.now, this.goal);
    this.standoffNow = this.standoff();
  }

  ask() {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame((time) => this.frame(time));
  }

  // For a picture that came: others may be about to, and one drawing does for all of them.
  askSoon() {
    if (this.chunks.isPainted) return this.ask();
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.ask();
    }, 120);
  }

  follow(changed) {
    this.goal.s = get('s');
    if (changed.includes('clock')) {
      const angle = get('clock');
      // Looking at a place on the wall: from one radius before it, half way between ahead and across.
      this.goal.yaw = angle === null ? 0 : Math.sin(angle) * 0.87;
      this.goal.pitch = angle === null ? 0 : Math.cos(angle) * 0.87;
    }
    this.ask();
  }

  // How far before the station in focus the eye stands, when it looks at the wall there.
  standoff() {
    return get('clock') === null ? 0 : radius * 0.85;
  }

  eyeInside() {
    const s = this.now.s - this.standoffNow, section = d.sectionAt(s);
    const forward = vector(section.tangent), right = vector(section.right), up = vector(section.crown);
    const turned = forward.clone().multiplyScalar(Math.cos(this.now.yaw)).addScaledVector(right, Math.sin(this.now.yaw));
    const direction = turned.multiplyScalar(Math.cos(this.now.pitch)).addScaledVector(up, Math.sin(this.now.pitch));
    return { eye: vector(section.centre), direction, up };
  }

  aim() {
    const mode = get('mode'), camera = this.camera;
    if (mode === 'outside') {
      const o = this.orbitNow, section = d.sectionAt(this.now.s), centre = vector(section.centre);
      const offset = vector(section.tangent).multiplyScalar(Math.cos(o.azimuth) * Math.cos(o.height))
        .addScaledVector(vector(section.right), Math.sin(-o.azimuth) * Math.cos(o.height))
        .addScaledVector(vector(section.crown), Math.sin(o.height));
      camera.position.copy(centre).addScaledVector(offset, o.distance);
      camera.up.copy(vector(section.crown));
      camera.lookAt(centre);
      camera.fov = 40;
    } else {
      const pose = mode === 'path' ? d.poseAt(this.now.s) : null;
      let { eye, direction, up } = this.eyeInside();
      if (pose) [eye, direction, up] = [pose.eye, pose.forward, pose.up].map(vector);
      camera.position.copy(eye);
      camera.up.copy(up);
      camera.lookAt(eye.clone().add(direction));
      camera.fov = 78;
    }
    const w = this.node.clientWidth, h = this.node.clientHeight;
    camera.aspect = w / Math.max(1, h);
    camera.near = mode === 'outside' ? this.orbitNow.distance * 0.02 : 0.05 * radius;
    camera.far = Math.max(100 * radius, (d.to - d.from) * 3);
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
  }

  step(seconds) {
    const share = still.matches ? 1 : 1 - Math.exp(-seconds * 9);
    this.now.s = Math.abs(this.goal.s - this.now.s) > 60 * radius ? this.goal.s : ease(this.now.s, this.goal.s, share);
    this.now.yaw = turnTo(this.now.yaw, this.goal.yaw, share);
    this.now.pitch = turnTo(this.now.pitch, this.goal.pitch, share);
    this.standoffNow = ease(this.standoffNow ?? 0, this.standoff(), share);
    for (const key of ['azimuth', 'height', 'distance']) this.orbitNow[key] = ease(this.orbitNow[key], this.orbit[key], share);
    const rest = Math.abs(this.goal.s - this.now.s) + Math.abs(this.goal.yaw - this.now.yaw) + Math.abs(this.goal.pitch - this.now.pitch) +
      Math.abs(this.standoff() - this.standoffNow) +
      Math.abs(this.orbit.azimuth - this.orbitNow.azimuth) + Math.abs(this.orbit.height - this.orbitNow.height) +
      Math.abs(this.orbit.distance - this.orbitNow.distance) / radius;
    return rest < 1e-4;
  }

  frame(time) {
    this.isAsked = false;
    const seconds = clamp((time - (this.lastTime ?? time)) / 1000, 0.004, 0.1);
    this.lastTime = time;
    if (get('isPlaying')) {
      const s = get('s') + seconds * Math.max(0.3, 1.5 * radius);
      if (s >= d.to) set({ s: d.to, isPlaying: false });
      else set({ s });
    }
    const isAtRest = this.step(seconds), w = this.node.clientWidth, h = this.node.clientHeight;
    if (!w || !h) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(w, h, false);
    this.aim();
    const isDone = this.chunks.update(this.camera.position, get('colouring') === 'relief');
    this.overlay.visible = true;
    this.renderer.render(this.scene, this.camera);
    this.placeLabels(w, h);
    const isStill = isAtRest && isDone && !get('isPlaying');
    this.isSettled = isStill && this.chunks.isPainted; // a picture that comes asks for the next frame itself
    if (!isStill) this.ask();
    else this.lastTime = undefined;
  }

  placeLabels(w, h) {
    const items = [], isOutside = get('mode') === 'outside', direction = new three.Vector3();
    this.camera.getWorldDirection(direction);
    for (const o of d.observations) {
      if (!d.isOnWall(o)) continue;
      const [s, angle] = d.middle(o), p = vector(d.wallPoint(s, angle ?? 0)).sub(this.camera.position);
      const distance = p.length(), ahead = p.dot(direction);
      if (ahead <= 0 || (!isOutside && distance > 40 * radius)) continue;
      p.add(this.camera.position).project(this.camera);
      if (Math.abs(p.x) > 1 || Math.abs(p.y) > 1) continue;
      items.push({ o, x: ((p.x + 1) / 2) * w, y: ((1 - p.y) / 2) * h, rank: (o.id === get('selected') ? -1e6 : 0) + distance / radius - 20 * (o.severity ?? 0) });
    }
    items.sort((a, b) => a.rank - b.rank);
    const bars = [...this.node.parentNode.querySelectorAll('.floating > *, .relief-legend')].map((e) => [e, e.offsetParent === this.node.parentNode ? [0, 0] : [e.parentNode.offsetLeft, e.parentNode.offsetTop]]);
    this.labels.show(items, w, h, bars.map(([e, [x, y]]) => [x + e.offsetLeft, y + e.offsetTop, x + e.offsetLeft + e.offsetWidth, y + e.offsetTop + e.offsetHeight]));
  }

  line(points, colour, isClosed, isOnTop) {
    const geometry = new three.BufferGeometry().setFromPoints(points.map(vector));
    const material = new three.LineBasicMaterial({ color: colour, depthTest: !isOnTop, transparent: true });
    const line = isClosed ? new three.LineLoop(geometry, material) : new three.Line(geometry, material);
    line.renderOrder = isOnTop ? 2 : 1;
    this.overlay.add(line);
    return line;
  }

  // Lines on the wall, a little inside it: outlines, rings, the camera's way, measurements.
  decorate() {
    for (const child of [...this.overlay.children]) {
      child.geometry.dispose();
      child.material.dispose();
      this.overlay.remove(child);
    }
    const dark = document.documentElement.dataset.theme === 'dark';
    this.scene.background = new three.Color(dark ? 0x10151b : 0xdfe5ea);
    const lift = (s, angle, share = 0.99) => {
      const section = d.sectionAt(s);
      return d.pointOn(section, angle, (d.radius(section, angle) + (d.reliefAt(s, angle) ?? 0)) * share);
    };
    const ring = (s) => Array.from({ length: 65 }, (_, k) => lift(s, (k * d.TURN) / 64));
    for (const o of d.observations) {
      if (!d.isOnWall(o)) continue;
      const isSelected = o.id === get('selected'), colour = isSelected ? 0x00d5ff : gradeColour(o), shape = d.outline(o);
      const add = (points, isClosed) => {
        this.line(points, colour, isClosed, isSelected);
        // WebGL draws lines one pixel wide: a second one beside it makes what is selected stand out.
        if (isSelected) this.line(points.map((p) => p.map((x) => x + 0.002 * radius)), colour, isClosed, true);
      };
      if (shape) add(measure.trace(shape, !o.is_line).map(([s, a]) => lift(s, a)), !o.is_line);
      else for (const s of new Set([o.station_from, o.station_to])) add(ring(s), false);
    }
    if (get('showsPath') || get('mode') === 'path') {
      let run = [], segment = null;
      const flush = () => { if (run.length > 1) this.line(run, 0x12b886, false, true); run = []; };
      d.path.station.forEach((s, i) => {
        if (d.path.segment[i] !== segment) flush();
        segment = d.path.segment[i];
        run.push([d.path.x[i], d.path.y[i], d.path.z[i]]);
      });
      flush();
    }
    for (const item of [...get('measurements'), { tool: get('tool'), points: get('drawing') }]) {
      if (item.points.length < 1) continue;
      const points = measure.trace(item.points, item.tool === 'area').map(([s, a]) => lift(s, a));
      if (points.length > 1) this.line(points, 0xff3ea5, item.tool === 'area', true);
      const dots = new three.Points(new three.BufferGeometry().setFromPoints(item.points.map(([s, a]) => vector(lift(s, a)))),
        new three.PointsMaterial({ color: 0xff3ea5, size: 7, sizeAttenuation: false, depthTest: false }));
      this.overlay.add(dots);
    }
    this.ask();
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect(), ray = new three.Raycaster();
    ray.setFromCamera(new three.Vector2(((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2), this.camera);
    return this.chunks.pick(ray);
  }

  // What the last picture cost the graphics processor.
  cost() {
    const { render, memory } = this.renderer.info, pictures = this.chunks.pieces.map((p) => p.picture?.image).filter(Boolean);
    return { calls: render.calls, triangles: render.triangles, textures: memory.textures, textureBytes: pictures.reduce((sum, c) => sum + (c.width * c.height * 4 * 4) / 3, 0) };
  }

  zoom(factor) {
    if (get('mode') === 'outside') this.orbit.distance = clamp(this.orbit.distance * factor, 2.5 * radius, Math.max(20 * radius, (d.to - d.from) * 2));
    else moveBy(factor < 1 ? radius : -radius);
    this.ask();
  }

  listen() {
    let held = null;
    this.canvas.addEventListener('pointerdown', (e) => {
      held = { x: e.clientX, y: e.clientY, moved: 0 };
      this.canvas.setPointerCapture(e.pointerId);
    });
    this.canvas.addEventListener('pointermove', (e) => {
      if (!held) return;
      const dx = e.clientX - held.x, dy = e.clientY - held.y;
      held.moved += Math.abs(dx) + Math.abs(dy);
      Object.assign(held, { x: e.clientX, y: e.clientY });
      if (held.moved < 4) return;
      if (get('mode') === 'outside') {
        this.orbit.azimuth -= dx * 0.006;
        this.orbit.height = clamp(this.orbit.height + dy * 0.006, -1.5, 1.5);
      } else {
        this.goal.yaw = clamp(this.goal.yaw - dx * 0.004, -3.1, 3.1);
        this.goal.pitch = clamp(this.goal.pitch + dy * 0.004, -1.5, 1.5);
      }
      this.ask();
    });
    this.canvas.addEventListener('pointerup', (e) => {
      const isClick = held && held.moved < 4;
      held = null;
      if (!isClick) return;
      const hit = this.pick(e);
      if (!hit) return;
      if (get('tool')) measure.addPoint(hit.s, hit.clock);
      else focus(hit.s, hit.clock);
    });
    this.canvas.addEventListener('dblclick', () => measure.finish());
    this.canvas.addEventListener('wheel', (e) => {
      e.preventDefault();
      if (get('mode') === 'outside' && !e.shiftKey) this.zoom(Math.exp(clamp(e.deltaY, -200, 200) * 0.0015));
      else moveBy(-clamp(e.deltaY || e.deltaX, -200, 200) * 0.004 * radius * 2);
    }, { passive: false });
    this.canvas.addEventListener('keydown', (e) => {
      const along = { ArrowUp: 0.5, ArrowDown: -0.5 }[e.key], around = { ArrowLeft: 1, ArrowRight: -1 }[e.key];
      if (along) moveBy(along * radius);
      else if (around && get('mode') === 'outside') this.orbit.azimuth += around * 0.1;
      else if (around) this.goal.yaw = clamp(this.goal.yaw - around * 0.15, -3.1, 3.1);
      else return;
      e.preventDefault();
      this.ask();
    });
  }
}
