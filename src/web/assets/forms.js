// What lives here: forms that send a command. Drafts that survive a re-render, the fields for terms, and refusals shown beside
// the form they belong to.

import { alertLine, decimalsOf, h, moneyText, parseMoney } from './dom.js';

// --- fields -----------------------------------------------------------------------------------------------------

/** A mistake in a field that the page itself can see. */
class FieldError extends Error {
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

export function choice(id, group, value, label, props = {}) {
  return h('label', { class: 'choice', for: id }, h('input', { id, name: group, type: 'radio', value, ...props }), h('span', {}, label));
}

// --- terms ------------------------------------------------------------------------------------------------------

/** The fields for terms; `start` fills them in. A disabled set is neither checked nor sent. */
export function termsFields(prefix, start) {
  const id = (part) => `${prefix}-${part}`;
  const fixed = start?.kind === 'fixed';
  const currency = start?.currency ?? 'USD';
  const amount = textInput(id('amount'), 'amount', { inputmode: 'decimal', required: true, value: start && moneyText(start.amount, currency) });
  const amountField = field('Rate per hour', amount, 'What the client is charged, with any fees inside it.');
  const hours = field('Hours a week (optional)', numberInput(id('hours'), 'weekly_hours', 168, start?.weekly_hours));
  const set = h('fieldset', { class: 'terms-fields' },
    h('legend', {}, 'Terms'),
    h('div', { class: 'choices' },
      choice(id('hourly'), 'kind', 'hourly', 'Hourly', { checked: !fixed }),
      choice(id('fixed'), 'kind', 'fixed', 'Fixed price', { checked: fixed })),
    h('div', { class: 'field-row' },
      amountField,
      field('Currency', textInput(id('currency'), 'currency', { required: true, maxlength: 3, pattern: '[A-Za-z]{3}', value: currency, title: 'Three letters, such as USD' }))),
    h('div', { class: 'field-row level' },
      hours,
      field('Weeks (optional)', numberInput(id('weeks'), 'duration_weeks', 520, start?.duration_weeks)),
      field('Start date (optional)', h('input', { id: id('start'), name: 'start_date', type: 'date', value: start?.start_date }))),
    field('Scope (optional)', h('textarea', { id: id('scope'), name: 'scope', rows: 2, dir: 'auto' }, start?.scope ?? '')));
  const sync = () => {
    const isFixed = set.querySelector('[name=kind]:checked')?.value === 'fixed';
    amountField.querySelector('label').textContent = isFixed ? 'Price in all' : 'Rate per hour';
    hours.hidden = isFixed;
  };
  return { set, sync };
}

const numberInput = (id, fieldName, max, value) => h('input', { id, name: fieldName, type: 'number', min: 1, max, step: 1, inputmode: 'numeric', value });

/** The terms that a form's values stand for. */
export function readTerms(values) {
  const currency = values.currency.trim().toUpperCase();
  const amount = parseMoney(values.amount, currency);
  if (!amount) throw new FieldError(`Please give an amount with at most ${decimalsOf(currency)} decimals, such as ${currency === 'JPY' ? '7500' : '75.00'}.`, 'amount');
  const terms = { kind: values.kind, amount, currency };
  if (values.weekly_hours && values.kind === 'hourly') terms.weekly_hours = Number(values.weekly_hours);
  if (values.duration_weeks) terms.duration_weeks = Number(values.duration_weeks);
  if (values.start_date) terms.start_date = values.start_date;
  if (values.scope?.trim()) terms.scope = values.scope.trim();
  return terms;
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
 * `sync(form)` brings dependent fields in line after a change.
 */
export function commandForm(ctx, { key, label, type, children, submit, read, done, sync = () => {}, cancel }) {
  const problem = alertLine();
  const button = h('button', { class: 'primary', type: 'submit' }, submit);
  const form = h('form', { class: 'command', 'aria-label': label },
    children, problem,
    h('div', { class: 'actions' }, button, cancel && h('button', { type: 'button', class: 'quiet', on: { click: cancel } }, 'Cancel')));
  const keep = () => { sync(form); ctx.drafts.set(key, valuesOf(form)); };
  form.addEventListener('input', keep);
  form.addEventListener('change', keep);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    await attempt(button, problem, async () => {
      const answer = await ctx.command(type, read(valuesOf(form)));
      ctx.drafts.set(key, undefined);
      done(answer);
    }, form);
  });
  fill(form, ctx.drafts.get(key) ?? {});
  sync(form);
  return form;
}

/** A button that is a whole command. */
export function commandButton(ctx, { label, type, fields, done, tone = 'plain' }) {
  const problem = alertLine();
  const button = h('button', { type: 'button', class: tone }, label);
  button.addEventListener('click', () => attempt(button, problem, async () => done(await ctx.command(type, fields))));
  return h('div', { class: 'command-button' }, button, problem);
}

async function attempt(button, problem, action, form) {
  const label = button.textContent;
  button.disabled = true;
  button.textContent = 'Sending…';
  problem.textContent = '';
  try {
    await action();
  } catch (error) {
    problem.textContent = error.message;
    form?.elements[error.field]?.focus();
  } finally {
    button.disabled = false;
    button.textContent = label;
  }
}
