// What lives here: what a log and an outbox add up to, as rows to show. Pure: no server, no elements.

import { isSameDay } from './dom.js';

const GROUP_MS = 5 * 60_000;
const EDIT_MS = 15 * 60_000;
const AMENDING = new Set(['message.edited', 'message.redacted']);
const COUNTED = new Set(['message.posted', 'terms.proposed']); // what counts as unread

export const WRITABLE = new Set(['active', 'offered', 'hired']);

const keyOf = (entry) => (entry.client_id ? `${entry.by}:${entry.client_id}` : `seq:${entry.seq}`);

/**
 * The rows in order: days, the mark where unread entries begin, lines about what happened, and messages with their newest text.
 * An outbox message and its entry have the same key, so the one becomes the other in place.
 *   me           the reader
 *   unreadAfter  the reader's marker; 0 or absent: no mark
 *   reachOf      (seq) → sent | delivered | read
 *   now          the server's time in milliseconds
 *   rights       {edit, redact}: whether messages of one's own can be changed in this room at all
 */
export function rowsOf({ entries, outgoing, me, unreadAfter, reachOf, now, rights }) {
  const settled = new Set(entries.map(keyOf));
  const pending = outgoing
    .map((item) => ({ kind: 'message.posted', by: me, client_id: item.client_id, at: item.at, data: { body: item.body }, item }))
    .filter((entry) => !settled.has(keyOf(entry)));
  const shown = [...entries.filter((entry) => !AMENDING.has(entry.kind)), ...pending];
  const firstNew = unreadAfter && shown.find((entry) => entry.seq > unreadAfter && entry.by !== me && COUNTED.has(entry.kind))?.seq;
  const amendments = amendmentsOf(entries);
  const rows = [];
  let before = null;
  for (const entry of shown) {
    const newDay = !before || !isSameDay(before.at, entry.at);
    const isFirstNew = firstNew && entry.seq === firstNew;
    if (newDay) rows.push({ key: `day:${new Date(entry.at).toDateString()}`, type: 'day', at: entry.at });
    if (isFirstNew) rows.push({ key: 'unread', type: 'unread' });
    const head = newDay || isFirstNew || !sameGroup(before, entry);
    if (entry.kind === 'message.posted') rows.push(messageRow(entry, { me, head, now, rights, reachOf, ...amendments(entry) }));
    else rows.push({ key: keyOf(entry), type: 'event', seq: entry.seq, entry });
    before = entry;
  }
  dropRepeatedReach(rows);
  return rows;
}

/** Every text a message has had, and its deletion. */
function amendmentsOf(entries) {
  const edits = new Map();
  const redactions = new Map();
  for (const { kind, data, at } of entries) {
    if (kind === 'message.edited' && data) edits.set(data.seq, [...(edits.get(data.seq) ?? []), { body: data.body, at }]);
    if (kind === 'message.redacted') redactions.set(data.seq, { reason: data.reason, onBehalf: data.on_behalf });
  }
  return ({ seq, at, data }) => {
    const deleted = redactions.get(seq) ?? (data ? undefined : {});
    return { deleted, versions: deleted ? [] : [{ body: data.body, at }, ...(edits.get(seq) ?? [])] };
  };
}

function sameGroup(before, entry) {
  return before.kind === 'message.posted' && before.by === entry.by && new Date(entry.at) - new Date(before.at) < GROUP_MS;
}

function messageRow(entry, { me, head, now, rights, reachOf, deleted, versions }) {
  const { item, seq } = entry;
  const mine = entry.by === me;
  const own = mine && !item && !deleted;
  return {
    key: keyOf(entry), type: 'message', seq, by: entry.by, at: entry.at, mine, head, versions, deleted,
    state: item ? item.state : 'sent',
    reach: own ? reachOf(seq) : undefined,
    error: item?.error, code: item?.code, contact: item?.state === 'failed' ? item.contact : undefined, clientId: entry.client_id,
    can: { edit: own && rights.edit && now - Date.parse(entry.at) < EDIT_MS, redact: own && rights.redact, unread: !mine },
  };
}

/** How far one's messages have come is said once for each stretch, below its last one. */
function dropRepeatedReach(rows) {
  let later;
  for (const row of rows.filter((one) => one.reach).reverse()) {
    const own = row.reach;
    if (own === later) row.reach = undefined;
    later = own;
  }
}
