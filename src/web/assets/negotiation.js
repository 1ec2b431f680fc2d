// What lives here: the terms of a candidacy as the two see them. What stands, what waits beside it, whose turn it is, every version, and
// what one can answer.

import { isActive } from './account.js';
import { chip, exactTime, h, name } from './dom.js';
import { commandButton } from './forms.js';
import { money, priceOf } from './money.js';
import { openProposing, titleOf, versionsOf } from './proposing.js';
import { feeTable, termsBeside, termsList } from './terms.js';

const OPEN = new Set(['active', 'offered']);

/** Whether terms and offers can still move, by this person. */
export const mayNegotiate = (ctx, { phase }) => OPEN.has(phase) && isActive(ctx.account);

/** Whose turn it is, in a line. */
export function turnLine(candidacy) {
  const { turn, role, phase } = candidacy;
  if (!turn || !OPEN.has(phase)) return null;
  const until = turn.until && [' by ', exactTime(turn.until)];
  if (turn.side !== role) return h('p', { class: 'turn', 'data-testid': 'turn' }, 'Waiting for ', name(candidacy[turn.side]), until && [' to answer', until], '.');
  return h('p', { class: 'turn own', 'data-testid': 'turn' }, h('strong', {}, 'Your turn'), `: ${whatToDo(candidacy)}`, until, '.');
}

function whatToDo({ role, phase, counter }) {
  if (phase === 'offered') return role === 'client' ? 'answer the request for a change' : 'answer the offer';
  if (role === 'freelancer') return counter ? 'answer the counter-proposal' : 'answer the proposed terms';
  return 'make an offer, or propose other terms';
}

/** What the panel depends on, as text: it is drawn again when this changes. */
export const negotiationKey = (ctx, candidacy, log) => [candidacy.phase, candidacy.terms, candidacy.counter, candidacy.terms_version, candidacy.offer, candidacy.turn, isActive(ctx.account), noted(candidacy, log)];

export function termsPart(ctx, candidacy, log) {
  const { standing, pending } = versionsOf(candidacy);
  return h('section', { 'aria-label': 'Terms', class: 'negotiation' },
    h('h2', {}, 'Terms'),
    candidacy.phase === 'active' && turnLine(candidacy),
    shownTerms(candidacy, standing, pending),
    mayNegotiate(ctx, candidacy) && answers(ctx, candidacy, pending, log),
    candidacy.terms_version > 0 && history(ctx, candidacy));
}

function shownTerms(candidacy, standing, pending) {
  if (!standing && !pending) return h('p', { class: 'note' }, 'No terms proposed yet.');
  if (!standing || !pending) {
    const only = standing ?? pending;
    return [
      termsList(only.terms),
      h('p', { class: 'hint' }, `Version ${only.version}, proposed by `, name(candidacy[only.by]), pending ? ', waits for an answer.' : '.'),
      feeTable(only),
    ];
  }
  return [
    termsBeside(standing.terms, pending.terms, [titleOf(candidacy, standing, 'As it stands'), titleOf(candidacy, pending, 'Counter-proposal')]),
    pending.fee && [h('h3', {}, 'With the counter-proposal'), feeTable(pending)],
    standing.fee && h('details', { class: 'more-fees', id: 'standing-fee' },
      h('summary', {}, `As it stands you receive ${money(standing.fee.take_home, standing.terms.currency)}`), feeTable(standing)),
  ];
}

// --- answers ----------------------------------------------------------------------------------------------------

function answers(ctx, candidacy, pending, log) {
  const fields = { candidacy: candidacy.id, version: pending?.version };
  const done = () => ctx.refresh();
  const isOwn = candidacy.role === 'client';
  return h('div', { class: 'actions' },
    pending && !isOwn && [
      commandButton(ctx, { id: 'accept-counter', label: `Accept version ${pending.version}`, type: 'terms.accept', fields: { ...fields, hash: pending.hash }, done, tone: 'primary' }),
      commandButton(ctx, { id: 'decline-counter', label: `Decline version ${pending.version}`, type: 'terms.decline', fields, done }),
    ],
    pending && isOwn && commandButton(ctx, { id: 'withdraw-counter', label: 'Withdraw the counter-proposal', type: 'terms.withdraw', fields, done }),
    h('button', { type: 'button', class: 'plain', id: 'propose-terms', on: { click: () => openProposing(ctx, candidacy) } }, candidacy.terms_version ? 'Propose other terms' : 'Propose terms'),
    acknowledging(ctx, candidacy, log));
}

/** The newest version that is shown, if the other side made it. */
function othersNewest(candidacy) {
  const { standing, pending } = versionsOf(candidacy);
  const newest = pending ?? standing;
  return newest && newest.by !== candidacy.role ? newest : undefined;
}

/** Whether the log says that this was taken note of. */
function noted(candidacy, log) {
  const version = othersNewest(candidacy)?.version;
  return log.entries.some(({ kind, data }) => kind === 'terms.acknowledged' && data?.version === version);
}

function acknowledging(ctx, candidacy, log) {
  const newest = othersNewest(candidacy);
  if (!newest || noted(candidacy, log)) return null;
  return commandButton(ctx, {
    id: 'acknowledge', label: `I have seen version ${newest.version}`, type: 'terms.acknowledge', tone: 'quiet',
    fields: { candidacy: candidacy.id, version: newest.version }, done: () => ctx.refresh(),
  });
}

// --- every version ----------------------------------------------------------------------------------------------

function history(ctx, candidacy) {
  const list = h('ol', { class: 'versions-list' });
  const fetched = async () => {
    try {
      const { items } = await ctx.http.get(`/v1/candidacies/${encodeURIComponent(candidacy.id)}/terms`);
      list.replaceChildren(...items.map((item, index) => versionNode(candidacy, item, items[index + 1])));
    } catch (error) {
      list.replaceChildren(h('li', { class: 'note' }, error.message));
    }
  };
  const node = h('details', { class: 'more history', id: 'terms-history' }, h('summary', {}, 'All versions'), list);
  node.addEventListener('toggle', () => { if (node.open) fetched(); });
  return node;
}

function versionNode(candidacy, version, before) {
  const word = { standing: ['Stands', 'good'], pending: ['Waits', 'wait'] }[version.status];
  return h('li', { 'data-testid': 'version' },
    h('details', { id: `version-${version.version}` },
      h('summary', {}, `Version ${version.version}, `, name(candidacy[version.by]), `: ${priceOf(version.terms)} `, word && chip(...word)),
      h('p', { class: 'hint' }, 'Proposed ', exactTime(version.proposed_at)),
      before ? termsBeside(before.terms, version.terms, [`Version ${before.version}`, `Version ${version.version}`]) : termsList(version.terms),
      feeTable(version)));
}
