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

/** The differences that an entry tells, each as one line: [label, from?, to?] as nodes. */
export function changeLines(changes, terms) {
  const currencyBefore = changes.find(({ field }) => field === 'currency')?.from ?? terms.currency;
  return changes.map(({ field, from, to }) => {
    const name = field.split('.').at(-1);
    return h('li', {},
      h('span', { class: 'change-field' }, fieldLabel(field, name), ': '),
      from !== undefined && h('del', {}, valueOf(name, from, currencyBefore)),
      from !== undefined && ' → ',
      h('ins', {}, to === undefined ? 'none' : valueOf(name, to, terms.currency)));
  });
}

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
