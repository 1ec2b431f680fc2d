// What lives here: the inbox as a list of notices, newest first. What happened to one's invitations, proposals and account.

import { accountLines } from './account.js';
import { briefTime, h, keepingFocus, name, phaseSentence, prose, reasonText } from './dom.js';
import { candidacyHref } from './lists.js';
import { priceOf } from './money.js';
import { HOW_HREF, changedText } from './profile.js';
import { pushingPart } from './push.js';
import { Reading } from './reading.js';

const DONE = {
  'invitation.sent': ' sent an invitation',
  'invitation.accepted': ' accepted the invitation',
  'invitation.declined': ' declined the invitation',
  'invitation.archived': ' ignored the invitation',
  'invitation.withdrawn': ' withdrew the invitation',
  'proposal.submitted': ' submitted a proposal',
  'proposal.answered': ' answered the proposal',
  'proposal.declined': ' declined the proposal',
  'proposal.withdrawn': ' withdrew the proposal',
  'invitation.expired': 'The invitation expired without an answer',
  'terms.proposed': ' proposed terms',
  'terms.accepted': ' accepted the counter-proposal',
  'terms.declined': ' declined the counter-proposal',
  'terms.withdrawn': ' withdrew the counter-proposal',
  'terms.expired': 'The counter-proposal expired',
  'terms.acknowledged': ' took note of the terms',
  'offer.made': ' made an offer',
  'offer.changed': ' changed the offer',
  'offer.change_requested': ' asked for a change of the offer',
  'offer.withdrawn': ' withdrew the offer',
  'offer.declined': ' declined the offer',
  'offer.expired': 'The offer expired without an answer',
  'offer.accepted': ' accepted the offer: the contract is formed',
  'contract.formed': 'The marketplace formed a contract',
  'contract.ended': 'The contract has ended',
};

const OF_ONESELF = new Set(['account.changed', 'responsiveness.changed', 'webhook.disabled']);

export function inboxView(ctx, area) {
  const log = ctx.inbox;
  const reading = new Reading(ctx, 'inbox');
  reading.begin({ marker: 0, unread: 1 });
  const body = h('div', {}, h('p', { class: 'note' }, 'Loading…'));
  const node = h('div', { class: 'page narrow' }, h('h1', { tabindex: -1 }, 'Notices'), body);
  const mark = () => { if (document.visibilityState === 'visible' && log.last) reading.mark(log.last, mark); };
  const redraw = () => {
    if (!log.loaded) return;
    keepingFocus(body, () => body.replaceChildren(pushingPart(ctx), ...notices(ctx, log)));
    mark();
  };
  log.onchange = redraw;
  if (log.loaded) redraw();
  else log.load().catch((error) => body.replaceChildren(h('p', { class: 'note' }, error.message)));
  return { node, title: 'Notices', area, refresh: redraw, redraw, pushingChanged: redraw, close: () => { log.onchange = () => {}; } };
}

function notices(ctx, log) {
  if (!log.entries.length) return [h('p', { class: 'note' }, 'Nothing has happened yet.')];
  const older = h('button', { type: 'button', class: 'plain', id: 'older-notices', on: { click: () => log.older().catch((error) => ctx.announce(error.message)) } }, 'Show earlier ones');
  return [
    h('ul', { class: 'rows' }, log.entries.filter(isShown).toReversed().map((entry) => h('li', { class: 'row notice', 'data-testid': 'notice', 'data-kind': entry.kind },
      h('div', { class: 'row-text' }, noticeLines(ctx, entry)), h('div', { class: 'row-end' }, briefTime(entry.at))))),
    ...(log.hasOlder ? [h('p', {}, older)] : []),
  ];
}

/** What a later server tells of in a kind of its own is not shown. */
const isShown = ({ kind, data }) => OF_ONESELF.has(kind) || Boolean(data?.job);

function noticeLines(ctx, { kind, by, data }) {
  if (kind === 'account.changed') return accountLines(data);
  if (kind === 'responsiveness.changed') return [h('p', {}, changedText(data)), h('p', { class: 'hint' }, h('a', { href: HOW_HREF }, 'How this is computed'))];
  if (kind === 'webhook.disabled') return [h('p', {}, 'The webhook ', h('bdi', {}, data.webhook), ' is told nothing any more: ', h('bdi', {}, data.because), '.')];
  const reason = data.reason && [': ', h('bdi', {}, reasonText(data))];
  const which = data.terms && /^(terms|offer|contract)/.test(kind) && ` (version ${data.terms.version}, ${priceOf(data.terms.terms)})`;
  return [
    h('p', { class: 'row-title' }, h('a', { href: candidacyHref(data), dir: 'auto' }, data.job.title)),
    h('p', {}, DONE[kind] ? [whoDid(ctx, kind, by, data), DONE[kind], which || '', reason ?? '.'] : phaseSentence(data.phase)),
    data.decline_message && prose(data.decline_message, { class: 'said' }),
  ];
}

/** Nobody is named for what happens by itself, and the marketplace speaks in its own name. */
function whoDid(ctx, kind, by, data) {
  if (!DONE[kind].startsWith(' ')) return '';
  return by === ctx.me.user ? 'You' : name(personOf(ctx, data, by));
}

/** A notice names people by id; the lists know what they are called. */
function personOf({ lists }, data, id) {
  const candidacy = lists.candidacies.find((one) => one.id === data.candidacy);
  return [candidacy?.client, candidacy?.freelancer].find((person) => person?.id === id) ?? { id };
}
