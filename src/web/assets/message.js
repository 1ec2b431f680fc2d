// What lives here: one message. Its newest text, how far it has come, and what its reader or its author can do with it.

import { avatar, exactTime, h, name, prose, timeOfDay } from './dom.js';
import { commandForm, field, textArea, textInput } from './forms.js';
import { contactText, isConfirmable, isContact, marked } from './guard.js';

/**
 * A row's element. `act` says what is open below it: nothing, menu, edit or redact.
 *   on.act(mode)   another one is opened or closed
 *   on.unread()    mark unread from here
 *   state          the line about a message that is on its way
 *   phase          in which a changed text is judged
 */
export function messageNode(ctx, room, row, { person, act, on, state, phase }) {
  const node = h('li', {
    class: `message ${row.mine ? 'mine' : 'theirs'}${row.head ? ' head' : ''}`, tabindex: -1,
    'data-testid': 'message', 'data-state': row.state, 'data-reach': row.reach, 'data-seq': row.seq,
  },
  row.head && !row.mine && avatar(person),
  row.head && h('p', { class: 'who' }, row.mine ? h('span', { class: 'visually-hidden' }, 'You') : name(person), ' ', timeOfDay(row.at)),
  act === 'edit' ? editForm(ctx, room, row, on, phase) : h('div', { class: 'line' }, textOf(row), actionsButton(row, act, on)),
  row.versions.length > 1 && versionsOf(row),
  act === 'menu' && menu(row, on),
  act === 'redact' && redactForm(ctx, room, row, on, phase),
  state ?? reachLine(row));
  if (act) node.addEventListener('keydown', (event) => { if (event.key === 'Escape') on.act(null); });
  return node;
}

function textOf({ deleted, versions, contact }) {
  if (contact) return h('p', { class: 'prose bubble', dir: 'auto', 'data-testid': 'body' }, marked(versions.at(-1).body, contact));
  if (!deleted) return prose(versions.at(-1).body, { class: 'bubble', 'data-testid': 'body' });
  const by = { author: ' by its author', marketplace: ' by the marketplace' }[deleted.onBehalf] ?? '';
  return h('p', { class: 'bubble deleted', 'data-testid': 'deleted' },
    `This message was deleted${by}`, deleted.reason ? [': ', h('bdi', {}, deleted.reason)] : '.');
}

function versionsOf({ versions }) {
  const earlier = versions.slice(0, -1).map(({ body, at }) => h('li', {}, prose(body), exactTime(at)));
  return h('details', { class: 'versions' }, h('summary', {}, 'edited'), h('ol', { 'aria-label': 'Earlier versions' }, earlier));
}

function reachLine({ reach }) {
  const words = { sent: 'Sent', delivered: 'Delivered', read: 'Read' };
  return reach && h('p', { class: 'state' }, words[reach]);
}

/** What is said of a message that is on its way or was not sent. `on` is what can be done about it: retry, edit, confirm. */
export function outgoingLine(row, { isLive, phase, on }) {
  const button = (text, click) => h('button', { type: 'button', class: 'link', on: { click } }, text);
  switch (row.state) {
    case 'sent': return null;
    case 'waiting':
      if (row.code === 'rate_limited' || row.code === 'held') return h('p', { class: 'state' }, 'Waiting for its turn…');
      return h('p', { class: 'state' }, 'Not sent yet, trying again. ', button('Try now', on.retry));
    case 'failed':
      if (isContact(row)) return contactLine(row, phase, [button('Edit', on.edit), isConfirmable(row) && [' ', button('Send it anyway', on.confirm)]]);
      return h('p', { class: 'state failed', role: 'alert' }, `Not sent: ${row.error} `, button('Try now', on.retry), ' ', button('Edit', on.edit));
    default: return h('p', { class: 'state' }, isLive ? 'Sending…' : 'Waiting for the connection…');
  }
}

/** Sent again as it is, it would be refused again: it is changed, or meant. */
const contactLine = (row, phase, buttons) => h('div', { class: 'state failed' },
  h('p', { role: 'alert' }, `Not sent. ${contactText(row, phase)}`), h('p', {}, buttons));

// --- what can be done -------------------------------------------------------------------------------------------

function actionsButton({ seq, deleted, can }, act, on) {
  if (deleted || !seq || !Object.values(can).some(Boolean)) return null;
  return h('button', {
    type: 'button', class: 'acts quiet', id: `acts-${seq}`, 'aria-label': 'Actions for this message', 'aria-expanded': String(Boolean(act)),
    on: { click: () => on.act(act ? null : 'menu') },
  }, '⋯');
}

function menu({ seq, can }, on) {
  const item = (id, text, click) => h('button', { type: 'button', class: 'link', id: `${id}-${seq}`, on: { click } }, text);
  return h('p', { class: 'menu' },
    can.edit && item('edit', 'Edit', () => on.act('edit')),
    can.redact && item('delete', 'Delete', () => on.act('redact')),
    can.unread && item('unread', 'Mark unread from here', on.unread));
}

/** A form that is dropped with its draft when it is cancelled. */
function form(ctx, key, on, parts) {
  const close = () => { ctx.drafts.set(key, undefined); on.act(null); };
  return commandForm(ctx, { key, cancel: close, done: () => on.act(null), ...parts });
}

function editForm(ctx, room, { seq, versions }, on, phase) {
  const input = textArea(`edit-body-${seq}`, 'body', { required: true, rows: 3 });
  input.value = versions.at(-1).body;
  return form(ctx, `edit:${room}:${seq}`, on, {
    label: 'Edit the message', type: 'message.edit', phase, submit: 'Save',
    children: field('New text', input, 'The others see that it was edited, and what it said before.'),
    read: ({ body }) => ({ room, seq, body }),
  });
}

function redactForm(ctx, room, { seq }, on, phase) {
  return form(ctx, `redact:${room}:${seq}`, on, {
    label: 'Delete the message', type: 'message.redact', phase, submit: 'Delete the message',
    children: field('Reason', textInput(`redact-reason-${seq}`, 'reason', { required: true, dir: 'auto', maxlength: 500 }), 'The others are told the reason. The text cannot be brought back.'),
    read: ({ reason }) => ({ room, seq, reason: reason.trim() }),
  });
}
