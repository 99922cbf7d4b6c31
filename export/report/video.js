// The inspection video, where it lies beside the page: in the page's folder, in the one above it, or where it was read from.
import { el } from './dom.js';
import * as d from './data.js';
import { t } from './i18n.js';

export function showVideo(seconds) {
  document.querySelector('dialog.video')?.remove();
  const name = encodeURIComponent(d.source.video), whole = (d.source.video_path ?? '').startsWith('/') ? d.source.video_path.split('/').map(encodeURIComponent).join('/') : null;
  const places = [name, `../${name}`, ...(whole && location.protocol === 'file:' ? [`file://${whole}`] : [])];
  const player = el('video', { controls: true, autoplay: true }), note = el('p', { class: 'hint', 'aria-live': 'polite' });
  const dialog = el('dialog', { class: 'video', onclose: () => dialog.remove() }, player, note, el('button', { onclick: () => dialog.close() }, t('close')));
  const next = () => {
    const place = places.shift();
    if (place) player.src = `${place}#t=${seconds.toFixed(2)}`;
    else note.textContent = t('video_missing', { f: d.source.video });
  };
  player.addEventListener('error', next);
  document.body.append(dialog);
  dialog.showModal();
  next();
}
