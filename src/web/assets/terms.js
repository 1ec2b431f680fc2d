// What lives here: terms in words. As a list, beside other terms with what is different marked, and what they mean for the freelancer.

import { dateText, h } from './dom.js';
import { money } from './money.js';

/** Terms row by row, in reading order: {key, label, parts: text or nodes}. */
function rowsOf(terms) {
  const weeks = terms.duration_weeks;
  return [
    row('amount', terms.kind === 'hourly' ? 'Hourly rate' : 'Fixed price', [money(terms.amount, terms.currency)]),
    terms.weekly_hours && row('weekly_hours', 'Hours a week', [`up to ${terms.weekly_hours}`]),
    weeks && row('duration_weeks', 'Duration', [weeksText(weeks)]),
    terms.start_date && row('start_date', 'Start', [dateText(terms.start_date)]),
    ...(terms.milestones ?? []).map((milestone, index) => row(`milestones.${index}`, `Milestone ${index + 1}`, milestoneParts(milestone, terms.currency))),
    terms.scope && row('scope', 'Scope', [terms.scope]),
  ].filter(Boolean);
}

const row = (key, label, parts) => ({ key, label, parts });

const weeksText = (weeks) => `${weeks} ${weeks === 1 ? 'week' : 'weeks'}`;

const milestoneParts = ({ title, amount, due_date: due }, currency) => [
  h('bdi', {}, title), ' ', h('span', { class: 'amount' }, money(amount, currency)), due ? [' ', h('span', { class: 'due' }, `due ${dateText(due)}`)] : '',
];

const textOf = ({ label, parts }) => [label, ...parts.flat().map((part) => part.textContent ?? part)].join('\n');

/** Terms as label and value. */
export const termsList = (terms) => h('dl', { class: 'terms' },
  rowsOf(terms).map(({ label, parts }) => h('div', {}, h('dt', {}, label), h('dd', { dir: 'auto' }, parts))));

/** Two versions side by side; what is different in the second one is marked, and named for whoever does not see colours. */
export function termsBeside(before, after, [beforeTitle, afterTitle]) {
  const [old, fresh] = [before, after].map((terms) => new Map(rowsOf(terms).map((one) => [one.key, one])));
  const order = rowsOf(before).concat(rowsOf(after)).map(({ key }) => key);
  const scopeLast = [...new Set(order)].sort((one, other) => (one === 'scope') - (other === 'scope'));
  return h('table', { class: 'beside-table' },
    h('thead', {}, h('tr', {}, h('td', {}), h('th', { scope: 'col' }, beforeTitle), h('th', { scope: 'col' }, afterTitle))),
    h('tbody', {}, scopeLast.map((key) => besideRow(old.get(key), fresh.get(key)))));
}

function besideRow(old, fresh) {
  const isChanged = !old || !fresh || textOf(old) !== textOf(fresh);
  const label = old && fresh && old.label !== fresh.label ? `${old.label} → ${fresh.label}` : (fresh ?? old).label;
  const value = (one) => (one ? one.parts : h('span', { class: 'nothing' }, 'none'));
  return h('tr', { class: isChanged && 'changed' },
    h('th', { scope: 'row' }, label, isChanged && [' ', h('span', { class: 'changed-word' }, 'changed')]),
    h('td', { dir: 'auto' }, value(old)),
    h('td', { dir: 'auto' }, isChanged ? h('mark', {}, value(fresh)) : value(fresh)));
}

// --- what is different, in lines --------------------------------------------------------------------------------

const FIELDS = {
  kind: 'Payment', amount: 'Amount', currency: 'Currency', weekly_hours: 'Hours a week', duration_weeks: 'Duration', start_date: 'Start', scope: 'Scope',
  title: 'title', due_date: 'due date',
};

const ORDER = ['kind', 'amount', 'currency', 'weekly_hours', 'duration_weeks', 'start_date', 'milestones', 'scope'];
const IN_MILESTONE = ['title', 'amount', 'due_date'];

/** The differences that an entry tells, each as one line. A milestone that came or went is one line. */
export function changeLines(changes, terms) {
  const currencyBefore = changes.find(({ field }) => field === 'currency')?.from ?? terms.currency;
  const lines = new Map();
  for (const change of [...changes].sort((one, other) => placeOf(one.field) - placeOf(other.field))) {
    const whole = wholeMilestone(change, changes);
    if (whole && !lines.has(whole.key)) lines.set(whole.key, milestoneLine(whole, whole.isNew ? terms.currency : currencyBefore));
    else if (!whole) lines.set(change.field, changeLine(change, currencyBefore, terms.currency));
  }
  return [...lines.values()];
}

/** Where a field stands among the lines: as in the list of terms, milestones by their number. */
function placeOf(field) {
  const [first, number = 0, last] = field.split('.');
  return ORDER.indexOf(first) * 10_000 + Number(number) * 10 + IN_MILESTONE.indexOf(last);
}

function changeLine({ field, from, to }, before, after) {
  const name = field.split('.').at(-1);
  return h('li', {},
    h('span', { class: 'change-field' }, fieldLabel(field, name), ': '),
    from !== undefined && [h('del', {}, valueOf(name, from, before)), ' → '],
    h('ins', {}, to === undefined ? 'none' : valueOf(name, to, after)));
}

/** The milestone that a change is part of, if all of it came or went. */
function wholeMilestone({ field }, changes) {
  const key = /^milestones\.\d+\./.exec(field)?.[0];
  const parts = key && changes.filter((change) => change.field.startsWith(key));
  const has = (side) => ['title', 'amount'].every((name) => parts.some((change) => change.field === key + name && change[side] !== undefined));
  if (!parts || parts.some(({ from, to }) => from !== undefined && to !== undefined) || !(has('from') || has('to'))) return undefined;
  const isNew = has('to');
  const value = (name) => parts.find((change) => change.field === key + name)?.[isNew ? 'to' : 'from'];
  return { key, isNew, number: Number(key.split('.')[1]) + 1, milestone: { title: value('title'), amount: value('amount'), due_date: value('due_date') } };
}

const milestoneLine = ({ isNew, number, milestone }, currency) => h('li', {},
  h('span', { class: 'change-field' }, `Milestone ${number}: `),
  isNew ? h('ins', {}, milestoneParts(milestone, currency)) : [h('del', {}, milestoneParts(milestone, currency)), ' → ', h('ins', {}, 'none')]);

function fieldLabel(field, name) {
  const milestone = /^milestones\.(\d+)\./.exec(field);
  if (milestone) return `Milestone ${Number(milestone[1]) + 1}, ${name === 'amount' ? 'amount' : FIELDS[name] ?? name}`;
  return FIELDS[field] ?? field;
}

function valueOf(name, value, currency) {
  switch (name) {
    case 'amount': return money(value, currency);
    case 'kind': return value === 'hourly' ? 'hourly' : 'fixed price';
    case 'duration_weeks': return weeksText(value);
    case 'start_date':
    case 'due_date': return dateText(value);
    default: return h('bdi', {}, String(value));
  }
}

// --- fees -------------------------------------------------------------------------------------------------------

/** What the client pays, what is kept of it, and what is left: for the whole, and milestone by milestone. Only a freelancer is told. */
export function feeTable({ terms, fee }) {
  if (!fee) return null;
  const { currency } = terms;
  const line = (label, part) => h('tr', {}, h('th', { scope: 'row' }, label), h('td', {}, money(part.charged, currency)), h('td', {}, money(part.fee, currency)), h('td', {}, h('strong', {}, money(part.take_home, currency))));
  return h('table', { class: 'fee-table', 'data-testid': 'fee' },
    h('thead', {}, h('tr', {}, h('td', {}), ['Client pays', 'Fee', 'You receive'].map((title) => h('th', { scope: 'col' }, title)))),
    h('tbody', {},
      (fee.milestones ?? []).map((part, index) => line(`Milestone ${index + 1}`, part)),
      line(terms.kind === 'hourly' ? 'Per hour' : 'In all', fee)));
}
