// What lives here: a sheet over the page for one thing to read and decide. It goes with the view that it was opened in.

import { h } from './dom.js';

let count = 0;

/** Opens a sheet; `fill(close)` makes what is in it. Closing gives the focus back to what opened it, or to its successor of the same id. */
export function openSheet(title, fill) {
  count += 1;
  const opener = document.activeElement;
  const heading = h('h2', { id: `sheet-${count}`, tabindex: -1 }, title);
  const sheet = h('dialog', { class: 'sheet', 'aria-labelledby': heading.id });
  const close = () => sheet.close();
  sheet.append(
    h('header', { class: 'sheet-head' }, heading, h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close', on: { click: close } }, '✕')),
    h('div', { class: 'sheet-body' }, fill(close)));
  sheet.addEventListener('close', () => {
    sheet.remove();
    // The browser gave the focus back when the sheet was closed, and this is told later: whoever has moved on since is left there.
    if (document.activeElement !== document.body) return;
    const back = opener?.isConnected ? opener : document.getElementById(opener?.id);
    (back ?? document.querySelector('main h1'))?.focus({ preventScroll: true });
  });
  document.getElementById('main').append(sheet);
  sheet.showModal();
  heading.focus();
  return sheet;
}
