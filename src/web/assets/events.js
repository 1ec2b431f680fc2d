// What lives here: entries of a room that are no messages, each as one short line in words.

import { exactTime, h, name, phaseWord, priceOf, prose, timeOfDay } from './dom.js';

export function eventNode({ entry }, person) {
  const quoted = entry.kind === 'invitation.sent' ? entry.data.message : entry.kind === 'proposal.submitted' ? entry.data.cover_letter : undefined;
  const when = entry.data?.sent_at ?? entry.data?.submitted_at ?? entry.at;
  return h('li', { class: 'event', 'data-testid': 'event', 'data-kind': entry.kind },
    h('p', { class: 'event-line' }, eventParts(entry, person), ' ', quoted ? exactTime(when) : timeOfDay(entry.at)),
    quoted && prose(quoted, { class: 'quoted' }));
}

/** What happened, in one short line; the person's name first. */
function eventParts({ kind, data }, person) {
  switch (kind) {
    case 'invitation.sent': return [name(person), ' invited to an interview.'];
    case 'invitation.accepted': return [name(person), ' accepted the invitation', { as_suggested: ' and left the terms as they are.', new: ' with new terms.' }[data.terms] ?? '.'];
    case 'proposal.submitted': return [name(person), ' submitted a proposal.'];
    case 'terms.proposed': return [name(person), ` proposed terms: ${priceOf(data.terms)} (version ${data.version}).`];
    case 'phase.changed': return [`The candidacy is now ${phaseWord(data.phase)}.`];
    case 'message.edited': return [name(person), ' changed a message.'];
    case 'message.redacted': return [name(person), ' deleted a message.'];
    default: return [name(person), `: ${kind.replace(/[._]/g, ' ')}.`];
  }
}

/** The same for the ear. */
export const spoken = (entry, person) => (entry.kind === 'message.posted'
  ? `${person.name}: ${entry.data?.body ?? ''}`
  : eventParts(entry, person).map((part) => part.textContent ?? part).join(''));
