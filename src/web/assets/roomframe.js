// What lives here: the frame of a room. Its parts before anything is in them.

import { h } from './dom.js';

const wide = matchMedia('(min-width: 64rem)');

/** The parts of a room, empty. */
export function skeleton(on) {
  const title = h('header', { class: 'talk-head' }, h('p', { class: 'note' }, 'Loading…'));
  const older = h('button', { type: 'button', class: 'older plain', hidden: true, on: { click: on.older } }, 'Show earlier entries');
  const list = h('ol', { class: 'entries' });
  const log = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabindex: 0, on: { scroll: on.scroll } }, older, list);
  const jump = h('button', { type: 'button', class: 'jump', hidden: true, on: { click: on.jump } });
  const typing = h('p', { class: 'typing', 'data-testid': 'typing' });
  const foot = h('div', { class: 'talk-foot' });
  const rail = h('nav', { class: 'rail', 'aria-label': 'Other rooms' });
  const facts = h('div', { class: 'facts' });
  const seal = h('section', { class: 'seal', 'aria-label': 'Contract', 'data-testid': 'seal', hidden: true });
  const turn = h('span', { class: 'chip chip-wait', hidden: true }, 'Your turn');
  const factsFold = h('details', { class: 'facts-fold', open: wide.matches }, h('summary', {}, 'Terms and people ', turn), facts);
  wide.onchange = () => { factsFold.open = wide.matches; };
  const node = h('div', { class: 'room' }, rail, title, seal,
    h('aside', { class: 'beside', 'aria-label': 'About this room' }, factsFold),
    h('section', { class: 'talk', 'aria-label': 'Conversation' }, log, jump, typing, foot));
  return { node, title, log, list, older, jump, typing, foot, rail, facts, seal, turn };
}
