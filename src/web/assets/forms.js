// What lives here: forms that send a command. Drafts that survive a re-render, and refusals shown beside the form they belong to.

import { alertLine, h } from './dom.js';
import { Marks, isContact, phaseOf } from './guard.js';
import { refusalText } from './refusals.js';

// --- fields -----------------------------------------------------------------------------------------------------

/** A mistake in a field that the page itself can see. */
export class FieldError extends Error {
  constructor(message, field) {
    super(message);
    this.field = field;
  }
}

export function field(label, input, hint) {
  const hintId = hint && `${input.id}-hint`;
  if (hintId) input.setAttribute('aria-describedby', hintId);
  return h('div', { class: 'field' },
    h('label', { for: input.id }, label),
    input,
    hint && h('p', { class: 'hint', id: hintId }, hint));
}

export const textArea = (id, fieldName, props = {}) => h('textarea', { id, name: fieldName, rows: 5, dir: 'auto', ...props });
export const textInput = (id, fieldName, props = {}) => h('input', { id, name: fieldName, type: 'text', autocomplete: 'off', ...props });
export const numberInput = (id, fieldName, max, value) => h('input', { id, name: fieldName, type: 'number', min: 1, max, step: 1, inputmode: 'numeric', value });

export function choice(id, group, value, label, props = {}) {
  return h('label', { class: 'choice', for: id }, h('input', { id, name: group, type: 'radio', value, ...props }), h('span', {}, label));
}

// --- forms ------------------------------------------------------------------------------------------------------

/** Every named field's value, also of disabled ones: a draft keeps what is hidden just now. */
function valuesOf(form) {
  const values = {};
  for (const control of form.elements) {
    if (!control.name) continue;
    if (control.type === 'radio') {
      if (control.checked) values[control.name] = control.value;
    } else {
      values[control.name] = control.type === 'checkbox' ? control.checked : control.value;
    }
  }
  return values;
}

function fill(form, values) {
  for (const control of form.elements) {
    const value = values[control.name];
    if (!control.name || value === undefined) continue;
    if (control.type === 'radio') control.checked = control.value === value;
    else if (control.type === 'checkbox') control.checked = value;
    else control.value = value;
  }
}

/**
 * A form for one command. `read(values)` makes the command's fields or throws; `done(answer)` goes on from there;
 * `sync(form)` brings dependent fields in line after a change; `failed(error)` may say something better than the refusal does;
 * `phase` is the one in which its texts are judged, where the type alone does not tell.
 */
export function commandForm(ctx, { key, label, type, phase = phaseOf(type), children, submit, read, done, sync = () => {}, failed, cancel, tone = 'primary' }) {
  const problem = alertLine();
  const button = h('button', { class: tone, type: 'submit' }, submit);
  const form = h('form', { class: 'command', 'aria-label': label },
    children, problem,
    h('div', { class: 'actions' }, button, cancel && h('button', { type: 'button', class: 'quiet', on: { click: cancel } }, 'Cancel')));
  const keep = () => { sync(form); ctx.drafts.set(key, valuesOf(form)); };
  form.addEventListener('input', keep);
  form.addEventListener('change', keep);
  const send = async (confirmed) => {
    if (button.disabled) return;
    let fields;
    await attempt(button, problem, async () => {
      fields = { ...read(valuesOf(form)), ...confirmed };
      marks.clear();
      const answer = await ctx.command(type, fields);
      ctx.drafts.set(key, undefined);
      done(answer);
    }, { form, failed: (error) => (isContact(error) ? marks.show(error, fields) : failed?.(error)) });
  };
  const marks = new Marks(form, { phase, confirm: () => send({ confirmed: true }) });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });
  fill(form, ctx.drafts.get(key) ?? {});
  sync(form);
  return form;
}

/** A button that is a whole command. */
export function commandButton(ctx, { label, type, fields, done, id, tone = 'plain' }) {
  const problem = alertLine();
  const button = h('button', { type: 'button', class: tone, id }, label);
  button.addEventListener('click', () => attempt(button, problem, async () => done(await ctx.command(type, fields))));
  return h('div', { class: 'command-button' }, button, problem);
}

async function attempt(button, problem, action, { form, failed } = {}) {
  const label = button.textContent;
  button.disabled = true;
  button.textContent = 'Sending…';
  problem.textContent = '';
  try {
    await action();
  } catch (error) {
    const better = await Promise.resolve(failed?.(error)).catch(() => undefined); // it may ask the server, which may be away
    problem.textContent = better ?? refusalText(error);
    form?.elements[error.field]?.focus();
  } finally {
    button.disabled = false;
    button.textContent = label;
  }
}
