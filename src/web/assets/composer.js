// What lives here: the field a message is written in.

import { h } from './dom.js';
import { Marks } from './guard.js';

const MAX_BODY_BYTES = 8 * 1024; // until the welcome says it
const TYPING_EVERY_MS = 3000;

const marksOf = new WeakMap(); // form → what is marked below its field

/** `send(body)` takes a message; `typing()` is called while somebody writes, now and then. */
export function composer(ctx, room, { send, typing }) {
  const key = `room:${room}`;
  const problem = h('p', { class: 'form-error', role: 'alert' });
  const input = h('textarea', { id: 'composer', name: 'body', rows: 1, dir: 'auto', placeholder: 'Write a message', enterkeyhint: 'send', 'aria-describedby': 'composer-hint' });
  input.value = ctx.drafts.get(key) ?? '';
  let told = 0;
  const form = h('form', { class: 'composer', 'aria-label': 'Send a message' },
    h('label', { class: 'visually-hidden', for: 'composer' }, 'Message'),
    input,
    h('button', { class: 'primary', type: 'submit' }, 'Send'),
    h('p', { class: 'hint', id: 'composer-hint' }, 'Enter sends, Shift and Enter begins a new line.'),
    problem);
  const marks = new Marks(form, {});
  marksOf.set(form, marks);
  input.addEventListener('input', () => {
    problem.textContent = '';
    ctx.drafts.set(key, input.value || undefined);
    if (!input.value || Date.now() - told < TYPING_EVERY_MS) return;
    told = Date.now();
    typing();
  });
  input.addEventListener('keydown', (event) => {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const body = input.value; // sent as it was written, to the byte
    const limit = ctx.connection.limits.body_bytes ?? MAX_BODY_BYTES;
    if (!body.trim()) return;
    if (new TextEncoder().encode(body).length > limit) {
      problem.textContent = 'This message is too long. Please send it in parts.';
      return;
    }
    marks.clear();
    input.value = '';
    ctx.drafts.set(key, undefined);
    send(body);
    input.focus();
  });
  return form;
}

/** Puts a text that was not sent back into the field, before what stands there; `refusal` says why it was not, in this phase of the room. */
export function takeBack(form, body, refusal, phase) {
  const input = form.elements.body;
  input.value = [body, input.value].filter(Boolean).join('\n');
  input.dispatchEvent(new Event('input', { bubbles: true }));
  if (refusal.contact) marksOf.get(form).show(refusal, { body }, phase);
  input.focus();
}
