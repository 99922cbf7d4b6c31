// Numbers beside things in a view, as elements, so that they can be read aloud and clicked. The more important come first;
// one that would cover another stays away.
import { el } from './dom.js';
import { get, on } from './state.js';
import { gradeColour, inkOn } from './colours.js';

export class Labels {
  constructor(parent, onPick) {
    this.node = parent.appendChild(el('div', { class: 'labels', 'aria-hidden': 'true' }));
    this.onPick = onPick;
    this.pool = new Map();
    // While measuring, a click belongs to the wall under the label.
    on('tool', () => this.node.classList.toggle('aside', get('tool') !== null));
  }

  // items: { o, x, y } in order of importance, in CSS pixels of the parent; reserved: boxes [left, top, right, bottom] of others.
  show(items, width, height, reserved = []) {
    const taken = [...reserved], shown = new Set();
    for (const { o, x, y } of items) {
      const w = 12 + 7 * String(o.number).length, h = 18, box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
      if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue;
      if (taken.some((b) => b[0] < box[2] + 2 && box[0] < b[2] + 2 && b[1] < box[3] + 2 && box[1] < b[3] + 2)) continue;
      taken.push(box);
      shown.add(o.id);
      let label = this.pool.get(o.id);
      if (!label) {
        const colour = gradeColour(o);
        label = el('span', { class: 'label', style: { background: colour, color: inkOn(colour) }, onclick: () => this.onPick(o) }, String(o.number));
        this.pool.set(o.id, label);
        this.node.append(label);
      }
      label.style.transform = `translate(${Math.round(x - w / 2)}px, ${Math.round(y - h / 2)}px)`;
      label.hidden = false;
    }
    for (const [id, label] of this.pool) if (!shown.has(id)) label.hidden = true;
  }
}
