// What lives here: entries of a room that are no messages, each in words. One short line, and below it what was said or what is different.

import { exactTime, h, name, phaseSentence, prose, timeOfDay } from './dom.js';
import { money, priceOf } from './money.js';
import { changeLines } from './terms.js';

const SHOWN_CHANGES = 8;

export function eventNode({ entry }, person) {
  const quoted = quotedOf(entry);
  const when = entry.data?.sent_at ?? entry.data?.submitted_at ?? entry.at;
  const isNegotiation = /^(terms|offer|contract)\./.test(entry.kind);
  return h('li', { class: isNegotiation ? 'event negotiated' : 'event', 'data-testid': 'event', 'data-kind': entry.kind },
    h('p', { class: 'event-line' }, eventParts(entry, person), ' ', quoted ? exactTime(when) : timeOfDay(entry.at)),
    entry.kind === 'terms.proposed' && entry.data && differences(entry),
    quoted && prose(quoted, { class: 'quoted' }));
}

/** What somebody has said with it. */
function quotedOf({ kind, data }) {
  switch (kind) {
    case 'invitation.sent': return data?.message;
    case 'proposal.submitted': return data?.cover_letter;
    case 'offer.change_requested': return data?.message;
    case 'offer.withdrawn':
    case 'offer.declined':
    case 'contract.ended': return data?.reason;
    default: return undefined;
  }
}

/** What happened, in one short line; the person's name first. */
function eventParts({ kind, data, private: fee, by }, person) {
  const who = name(person);
  switch (kind) {
    case 'invitation.sent': return [who, ' invited to an interview.'];
    case 'invitation.accepted': return [who, ' accepted the invitation', { as_suggested: ' and left the terms as they are.', new: ' with new terms.' }[data.terms] ?? '.'];
    case 'proposal.submitted': return [who, ' submitted a proposal.'];
    case 'terms.proposed': return [who, ` proposed terms: ${priceOf(data.terms)} (version ${data.version}).`, fee ? ` You receive ${money(fee.take_home, data.terms.currency)}.` : ''];
    case 'terms.accepted': return [who, ` accepted the counter-proposal: version ${data.version} stands.`];
    case 'terms.declined': return [who, ` declined the counter-proposal, version ${data.version}.`];
    case 'terms.withdrawn': return [who, ` withdrew the counter-proposal, version ${data.version}.`];
    case 'terms.expired': return [`The counter-proposal, version ${data.version}, expired without an answer.`];
    case 'terms.acknowledged': return [who, ` has seen version ${data.version} of the terms.`];
    case 'offer.made': return [who, ` made an offer: version ${data.version} of the terms, until `, exactTime(data.expires_at), '.'];
    case 'offer.changed': return [who, ` changed the offer: now it is version ${data.version} of the terms, until `, exactTime(data.expires_at), '.'];
    case 'offer.change_requested': return [who, ' asked for a change of the offer', data.version ? ` and proposed version ${data.version}.` : '.'];
    case 'offer.withdrawn': return by ? [who, ' withdrew the offer.'] : ['The offer ended, because the terms changed.'];
    case 'offer.declined': return [who, ' declined the offer.'];
    case 'offer.expired': return ['The offer expired without an answer.'];
    case 'offer.accepted': return [who, ` accepted the offer: version ${data.version} of the terms.`];
    case 'contract.formed': return [`The marketplace formed a contract: version ${data.version} of the terms.`];
    case 'contract.sealed': return [`The contract is sealed: version ${data.seal.version} of the terms, and this room up to entry ${data.seal.position}.`];
    case 'contract.ended': return ['The contract has ended.'];
    case 'phase.changed': return [phaseSentence(data.phase)];
    case 'message.edited': return [who, ' changed a message.'];
    case 'message.redacted': return [who, ' deleted a message.'];
    default: return [who, `: ${kind.replace(/[._]/g, ' ')}.`];
  }
}

/** What is different from the version before; the rest of a long list is folded. */
function differences({ data: { changes = [], terms } }) {
  if (!changes.length) return null;
  const lines = changeLines(changes, terms);
  const list = (items) => h('ul', { class: 'changes' }, items);
  const rest = lines.slice(SHOWN_CHANGES);
  return [
    list(lines.slice(0, SHOWN_CHANGES)),
    rest.length > 0 && h('details', { class: 'more-changes' }, h('summary', {}, rest.length === 1 ? '1 more difference' : `${rest.length} more differences`), list(rest)),
  ];
}

/** The same for the ear. */
export const spoken = (entry, person) => (entry.kind === 'message.posted'
  ? `${person.name}: ${entry.data?.body ?? ''}`
  : eventParts(entry, person).map((part) => part.textContent ?? part).join(''));
