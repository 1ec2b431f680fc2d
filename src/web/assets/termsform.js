// What lives here: the fields in which somebody proposes terms, and the terms that they stand for.

import { h } from './dom.js';
import { FieldError, choice, field, numberInput, textInput } from './forms.js';
import { decimalsOf, money, moneyText, parseMoney } from './money.js';

const MILESTONES = 50;

/**
 * The fields for terms. A disabled set is neither checked nor sent.
 *   start      the terms that fill them in
 *   kept       a draft of the form they stand in: it says how many milestones there are
 *   takeHome   the freelancer may say what is left instead of what is charged
 *   fee        what of `start` is left, if that is known
 * Answers the set, `sync()` for after a change, and `read(values)`, which makes {terms, amounts?} or throws.
 */
export function termsFields(prefix, { start, kept, takeHome = false, fee } = {}) {
  const id = (part) => `${prefix}-${part}`;
  const fixed = start?.kind === 'fixed';
  const currency = start?.currency ?? 'USD';
  const amount = textInput(id('amount'), 'amount', { inputmode: 'decimal', required: true, value: start && moneyText(start.amount, currency) });
  const hint = h('p', { class: 'hint', id: id('amount-hint') });
  amount.setAttribute('aria-describedby', hint.id);
  const amountField = field('Rate per hour', amount);
  amountField.append(hint);
  const hours = field('Hours a week (optional)', numberInput(id('hours'), 'weekly_hours', 168, start?.weekly_hours));
  const milestones = milestoneFields(id, { start: fixed ? start : undefined, currency, kept });
  const set = h('fieldset', { class: 'terms-fields' },
    h('legend', {}, 'Terms'),
    h('div', { class: 'choices' },
      choice(id('hourly'), 'kind', 'hourly', 'Hourly', { checked: !fixed }),
      choice(id('fixed'), 'kind', 'fixed', 'Fixed price', { checked: fixed })),
    takeHome && h('div', { class: 'choices', role: 'radiogroup', 'aria-label': 'What the amounts mean' },
      choice(id('charged'), 'amounts', 'charged', 'I enter what the client pays', { checked: true }),
      choice(id('take-home'), 'amounts', 'take_home', 'I enter what I receive')),
    h('div', { class: 'field-row' },
      amountField,
      field('Currency', textInput(id('currency'), 'currency', { required: true, maxlength: 3, pattern: '[A-Za-z]{3}', value: currency, title: 'Three letters, such as USD' }))),
    milestones.set,
    h('div', { class: 'field-row level' },
      hours,
      field('Weeks (optional)', numberInput(id('weeks'), 'duration_weeks', 520, start?.duration_weeks)),
      field('Start date (optional)', h('input', { id: id('start'), name: 'start_date', type: 'date', value: start?.start_date }))),
    field('Scope (optional)', h('textarea', { id: id('scope'), name: 'scope', rows: 3, dir: 'auto' }, start?.scope ?? '')));
  const chosen = (name) => set.querySelector(`[name=${name}]:checked`)?.value;
  const isTakeHome = () => chosen('amounts') === 'take_home';
  const sync = () => {
    const isFixed = chosen('kind') === 'fixed';
    amountField.querySelector('label').textContent = amountLabel(isFixed, isTakeHome());
    hint.textContent = isTakeHome() ? 'The client is charged the least that leaves you this.' : 'What the client is charged, with any fees inside it.';
    hours.hidden = isFixed;
    milestones.set.hidden = milestones.set.disabled = !isFixed;
    milestones.sync(amount.value, set.querySelector('[name=currency]').value.trim().toUpperCase());
  };
  set.addEventListener('change', ({ target }) => {
    if (target.name === 'amounts' && start && fee) swapUntouched([amount, ...milestones.amounts()], { start, fee }, isTakeHome());
  });
  return { set, sync, read: readTerms };
}

function amountLabel(isFixed, isTakeHome) {
  if (isTakeHome) return isFixed ? 'What you receive in all' : 'What you receive per hour';
  return isFixed ? 'Price in all' : 'Rate per hour';
}

/** Amounts that nobody has changed follow what they are said to mean. */
function swapUntouched(inputs, { start, fee }, isTakeHome) {
  const parts = [fee, ...(fee.milestones ?? [])];
  inputs.forEach((input, index) => {
    const part = parts[index];
    if (!part) return;
    const [before, after] = isTakeHome ? [part.charged, part.take_home] : [part.take_home, part.charged];
    if (input.value === moneyText(before, start.currency)) input.value = moneyText(after, start.currency);
  });
}

// --- milestones -------------------------------------------------------------------------------------------------

/** Rows that come and go. Each keeps the number it was made under as part of its names; the order stands in a hidden field. */
function milestoneFields(id, { start, currency, kept }) {
  const known = start?.milestones ?? [];
  const order = h('input', { type: 'hidden', name: 'milestones' });
  const list = h('div', { class: 'milestones' });
  const sum = h('p', { class: 'hint', role: 'status' });
  const numbers = () => [...list.children].map((node) => node.dataset.number);
  const changed = () => {
    order.value = numbers().join();
    order.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const remove = (node) => {
    const next = node.nextElementSibling ?? node.previousElementSibling;
    node.remove();
    changed();
    (next?.querySelector('input') ?? add).focus();
  };
  const make = (number, milestone) => list.append(milestoneRow(id, number, milestone && { ...milestone, amount: moneyText(milestone.amount, currency) }, remove));
  const add = h('button', { type: 'button', class: 'plain', id: id('add'), on: { click: () => {
    make(Math.max(-1, ...numbers().map(Number)) + 1);
    changed();
    list.lastElementChild.querySelector('input').focus();
  } } }, 'Add a milestone');
  const begin = kept?.milestones === undefined ? known.map((_, index) => index) : kept.milestones.split(',').filter(Boolean).map(Number);
  for (const number of begin) make(number, known[number]);
  order.value = begin.join();
  const set = h('fieldset', { class: 'milestone-fields' }, h('legend', {}, 'Milestones (optional)'), order, list, sum, h('div', {}, add));
  const sync = (price, code) => {
    [...list.children].forEach((node, index) => nameRow(node, index + 1));
    add.hidden = list.children.length >= MILESTONES;
    sum.textContent = sumText(amountsOf(list).map((input) => input.value), price, code);
  };
  return { set, sync, amounts: () => amountsOf(list) };
}

const amountsOf = (list) => [...list.querySelectorAll('[data-part=amount]')];

function milestoneRow(id, number, milestone, remove) {
  const part = (name, props) => textInput(id(`m${number}-${name}`), `m${number}_${name}`, { 'data-part': name, ...props });
  const node = h('div', { class: 'milestone', role: 'group', 'data-number': number },
    field('Title', part('title', { required: true, dir: 'auto', maxlength: 200, value: milestone?.title })),
    h('div', { class: 'field-row' },
      field('Amount', part('amount', { required: true, inputmode: 'decimal', value: milestone?.amount })),
      field('Due date', h('input', { id: id(`m${number}-due`), name: `m${number}_due`, 'data-part': 'due', type: 'date', value: milestone?.due_date })),
      h('button', { type: 'button', class: 'quiet', on: { click: () => remove(node) } }, 'Remove')));
  return node;
}

/** A row's place is said with each of its fields. */
function nameRow(node, place) {
  node.setAttribute('aria-label', `Milestone ${place}`);
  const labels = { title: `Title of milestone ${place}`, amount: `Amount of milestone ${place}`, due: `Due date of milestone ${place}` };
  for (const input of node.querySelectorAll('[data-part]')) node.querySelector(`[for="${CSS.escape(input.id)}"]`).textContent = labels[input.dataset.part];
  node.querySelector('button').setAttribute('aria-label', `Remove milestone ${place}`);
}

function sumText(amounts, price, currency) {
  const parts = amounts.map((text) => parseMoney(text, currency));
  const whole = parseMoney(price, currency);
  if (!parts.length || parts.includes(null)) return '';
  const sum = parts.reduce((total, part) => total + part, 0);
  const told = `The milestones add up to ${money(sum, currency)}`;
  if (whole === null || sum === whole) return `${told}.`;
  return sum < whole ? `${told}: ${money(whole - sum, currency)} less than the price.` : `${told}: ${money(sum - whole, currency)} more than the price.`;
}

// --- reading ----------------------------------------------------------------------------------------------------

/** The terms that a form's values stand for, and what their amounts mean. */
function readTerms(values) {
  const currency = values.currency.trim().toUpperCase();
  const amount = readAmount(values.amount, currency, 'amount');
  const terms = { kind: values.kind, amount, currency };
  if (values.weekly_hours && values.kind === 'hourly') terms.weekly_hours = Number(values.weekly_hours);
  const milestones = values.kind === 'fixed' ? readMilestones(values, currency) : [];
  if (milestones.length) terms.milestones = addingUp(milestones, amount);
  if (values.duration_weeks) terms.duration_weeks = Number(values.duration_weeks);
  if (values.start_date) terms.start_date = values.start_date;
  if (values.scope?.trim()) terms.scope = values.scope.trim();
  return { terms, ...(values.amounts === 'take_home' ? { amounts: 'take_home' } : {}) };
}

function readAmount(text, currency, name) {
  const amount = parseMoney(text, currency);
  if (amount) return amount;
  const decimals = decimalsOf(currency);
  const form = decimals ? `with at most ${decimals} decimals, such as 75.${'0'.repeat(decimals)}` : 'without decimals, such as 7500';
  throw new FieldError(`Please give an amount ${form}.`, name);
}

const readMilestones = (values, currency) => (values.milestones ?? '').split(',').filter(Boolean).map((number) => ({
  title: values[`m${number}_title`].trim(),
  amount: readAmount(values[`m${number}_amount`], currency, `m${number}_amount`),
  ...(values[`m${number}_due`] ? { due_date: values[`m${number}_due`] } : {}),
}));

function addingUp(milestones, amount) {
  if (milestones.reduce((sum, milestone) => sum + milestone.amount, 0) === amount) return milestones;
  throw new FieldError('The milestones have to add up to the price in all.', 'amount');
}
