// What lives here: the looks of a room. The conversation with its composer, and the facts beside it.

import { avatar, dayOf, exactTime, h, keepingFocus, name, outLink, phaseChip, phaseWord, priceOf, prose, termsList, timeOfDay } from './dom.js';
import { endCandidacy } from './cases.js';
import { roomRail } from './lists.js';
import { WRITABLE, rowsOf } from './room.js';

const NEAR_PX = 60;
const MAX_BODY_BYTES = 8 * 1024;
const wide = matchMedia('(min-width: 64rem)');

export function roomView(ctx, id) {
  return new RoomView(ctx, id);
}

class RoomView {
  title = 'Room';
  area = 'work';
  fills = true;
  #ctx;
  #id;
  #log;
  #room = null;
  #candidacy = null;
  #unreadAfter;
  #unseen = 0;
  #sticky = true; // the newest entry stays in sight
  #firstSeq;
  #turn = 0;
  #parts;
  #rowNodes = new Map();
  #resized;
  #closed = false;

  constructor(ctx, id) {
    this.#ctx = ctx;
    this.#id = id;
    this.#unreadAfter = ctx.seen.upTo(id);
    this.#parts = skeleton({
      older: () => this.#older(),
      scroll: () => this.#scrolled(),
      jump: () => this.#toBottom(),
    });
    this.node = this.#parts.node;
    this.#resized = new ResizeObserver(() => this.#sticky && this.#toBottom());
    this.#resized.observe(this.#parts.log);
    this.#log = ctx.rooms.open(id);
    this.#log.onchange = () => this.#draw();
    this.#log.onlive = (entry) => this.#arrived(entry);
    this.refresh();
  }

  /** Fetches what may have changed around the log; the log itself keeps up by socket. */
  async refresh() {
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const room = await this.#ctx.http.get(`/v1/rooms/${encodeURIComponent(this.#id)}`);
      const candidacy = await this.#ctx.http.get(`/v1/candidacies/${encodeURIComponent(room.candidacy)}`);
      if (this.#closed || turn !== this.#turn) return;
      this.#room = room;
      this.#candidacy = candidacy;
      if (!this.#log.loaded) await this.#log.load();
      if (this.#closed) return;
      this.#ctx.rooms.join(this.#log);
      this.#drawAround();
      this.#draw();
    } catch (error) {
      if (!this.#closed && !this.#log.loaded) this.#parts.title.replaceChildren(h('p', { class: 'note' }, error.message));
    }
  }

  /** The outbox or the connection changed: only the rows can look different. */
  redraw() {
    if (this.#log.loaded) this.#draw();
  }

  close() {
    this.#closed = true;
    this.#resized.disconnect();
    this.#log.onchange = this.#log.onlive = () => {};
    this.#ctx.rooms.leave(this.#log);
  }

  // --- the conversation

  #draw() {
    if (this.#closed || !this.#room) return;
    const { log, older } = this.#parts;
    const { entries } = this.#log;
    const fromBottom = log.scrollHeight - log.scrollTop;
    const prepended = entries[0]?.seq < this.#firstSeq;
    this.#firstSeq = entries[0]?.seq;
    const rows = rowsOf({ entries, outgoing: this.#ctx.outbox.of(this.#id), me: this.#ctx.me.user, unreadAfter: this.#unreadAfter });
    this.#ctx.outbox.settle(this.#id, this.#log.last);
    this.#place(rows);
    older.hidden = !this.#log.hasOlder;
    if (this.#sticky) this.#toBottom();
    else if (prepended) log.scrollTop = log.scrollHeight - fromBottom;
    this.#markSeen();
  }

  /** Brings the list in line with the rows, making only the nodes that changed. */
  #place(rows) {
    const { list } = this.#parts;
    const kept = new Map();
    let position = list.firstElementChild;
    for (const row of rows) {
      const text = JSON.stringify([row, row.state === 'sending' && this.#ctx.connection.state]);
      const old = this.#rowNodes.get(row.key);
      let node = old?.node;
      if (old?.text !== text) {
        node = this.#rowNode(row);
        node.dataset.key = row.key;
        if (old?.node === position) position = old.node.nextElementSibling;
        old?.node.remove();
      }
      if (node === position) position = position.nextElementSibling;
      else list.insertBefore(node, position);
      kept.set(row.key, { node, text });
    }
    for (const [key, { node }] of this.#rowNodes) if (!kept.has(key)) node.remove();
    this.#rowNodes = kept;
  }

  #rowNode(row) {
    if (row.type === 'day') return h('li', { class: 'day' }, h('span', {}, dayOf(row.at)));
    if (row.type === 'unread') return h('li', { class: 'unread' }, h('span', {}, 'New'));
    if (row.type === 'event') return eventNode(row.entry, this.#person(row.entry.by));
    return messageNode(row, this.#person(row.by), row.state && this.#stateLine(row));
  }

  #stateLine(row) {
    const { outbox, connection } = this.#ctx;
    const retry = h('button', { type: 'button', class: 'link', on: { click: () => outbox.retry(row.clientId) } }, 'Try now');
    const edit = h('button', { type: 'button', class: 'link', on: { click: () => this.#edit(row.clientId) } }, 'Edit');
    switch (row.state) {
      case 'sent': return h('p', { class: 'state' }, 'Sent');
      case 'waiting': return h('p', { class: 'state' }, 'Not sent yet, trying again. ', retry);
      case 'failed': return h('p', { class: 'state failed', role: 'alert' }, `Not sent: ${row.error} `, retry, ' ', edit);
      default: return h('p', { class: 'state' }, connection.state === 'live' ? 'Sending…' : 'Waiting for the connection…');
    }
  }

  #person(id) {
    const member = this.#room.members.find((one) => one.user === id);
    return { id, name: member?.name ?? id ?? 'The marketplace' };
  }

  async #older() {
    const { log, older } = this.#parts;
    if (older.disabled || !this.#log.hasOlder) return;
    older.disabled = true;
    log.setAttribute('aria-busy', 'true');
    try {
      await this.#log.older();
    } catch (error) {
      this.#ctx.announce(error.message);
    } finally {
      older.disabled = false;
      log.removeAttribute('aria-busy');
    }
  }

  // --- reading position

  #toBottom() {
    const { log, jump } = this.#parts;
    log.scrollTop = log.scrollHeight;
    this.#sticky = true;
    this.#unseen = 0;
    jump.hidden = true;
  }

  #scrolled() {
    const { log, jump } = this.#parts;
    this.#sticky = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
    if (this.#sticky) {
      this.#unseen = 0;
      jump.hidden = true;
    } else if (log.scrollTop < NEAR_PX) {
      this.#older();
    }
  }

  #markSeen() {
    if (document.visibilityState === 'visible') this.#ctx.seen.mark(this.#id, this.#log.last);
  }

  #arrived(entry) {
    if (entry.kind === 'phase.changed' || entry.kind === 'terms.proposed') this.refresh();
    if (entry.by === this.#ctx.me.user) return;
    const who = this.#person(entry.by).name;
    this.#ctx.announce(entry.kind === 'message.posted' ? `${who}: ${entry.data.body}` : eventLine(entry, who));
    if (this.#sticky) return;
    this.#unseen += 1;
    this.#parts.jump.hidden = false;
    this.#parts.jump.textContent = this.#unseen === 1 ? '1 new message' : `${this.#unseen} new messages`;
  }

  // --- around the conversation

  #drawAround() {
    const { me, lists } = this.#ctx;
    const role = this.#candidacy.role;
    const other = role === 'client' ? this.#candidacy.freelancer : this.#candidacy.client;
    this.area = role === 'client' ? 'my' : 'work';
    this.title = `${this.#room.job.title} – ${other.name}`;
    this.#parts.log.setAttribute('aria-label', `Messages with ${other.name}`);
    this.#parts.title.replaceChildren(
      h('a', { class: 'back-arrow', href: role === 'client' ? '#/my/candidates' : '#/work/proposals', 'aria-label': role === 'client' ? 'Back to Candidates' : 'Back to Proposals' }),
      avatar(other),
      h('div', { class: 'talk-names' }, h('h1', { tabindex: -1, dir: 'auto' }, this.#room.job.title), h('p', {}, name(other))),
      phaseChip(this.#room.phase));
    keepingFocus(this.#parts.rail, () => this.#parts.rail.replaceChildren(...(lists.loaded ? roomRail(this.#ctx, role, this.#id) : [])));
    this.#drawFacts();
    this.#drawComposer(me);
    this.#ctx.viewChanged(this);
  }

  #drawFacts() {
    const { facts } = this.#parts;
    const text = JSON.stringify([this.#candidacy.phase, this.#candidacy.terms, this.#room.members, this.#room.job]);
    if (facts.dataset.shown === text) return;
    facts.dataset.shown = text;
    const { terms, phase } = this.#candidacy;
    facts.replaceChildren(
      h('section', { 'aria-label': 'Terms' },
        h('h2', {}, 'Terms'),
        terms ? [termsList(terms.terms), h('p', { class: 'hint' }, `Version ${terms.version}, proposed by `, name(this.#candidacy[terms.by]))] : h('p', { class: 'note' }, 'No terms proposed yet.')),
      h('section', { 'aria-label': 'People' },
        h('h2', {}, 'People'),
        h('ul', { class: 'people' }, this.#room.members.map((member) => h('li', {},
          avatar(member), h('span', {}, name(member)), h('span', { class: 'side' }, member.side === 'client' ? 'Client' : 'Freelancer'))))),
      h('section', { 'aria-label': 'Job' },
        h('h2', {}, 'Job'),
        h('p', { dir: 'auto' }, this.#room.job.url ? outLink(this.#room.job.url, this.#room.job.title) : this.#room.job.title)),
      ...(WRITABLE.has(phase) ? [endCandidacy(this.#ctx, this.#candidacy)] : []));
  }

  #drawComposer(me) {
    const { foot } = this.#parts;
    const reason = readOnlyReason(this.#room.phase, me);
    if (foot.dataset.reason === (reason ?? '')) return;
    foot.dataset.reason = reason ?? '';
    foot.replaceChildren(reason ? h('p', { class: 'read-only' }, reason) : this.#composer());
    if (!reason && matchMedia('(pointer: fine)').matches) foot.querySelector('textarea').focus({ preventScroll: true });
  }

  #composer() {
    const key = `room:${this.#id}`;
    const problem = h('p', { class: 'form-error', role: 'alert' });
    const input = h('textarea', { id: 'composer', name: 'body', rows: 1, dir: 'auto', placeholder: 'Write a message', enterkeyhint: 'send', 'aria-describedby': 'composer-hint' });
    input.value = this.#ctx.drafts.get(key) ?? '';
    const form = h('form', { class: 'composer', 'aria-label': 'Send a message' },
      h('label', { class: 'visually-hidden', for: 'composer' }, 'Message'),
      input,
      h('button', { class: 'primary', type: 'submit' }, 'Send'),
      h('p', { class: 'hint', id: 'composer-hint' }, 'Enter sends, Shift and Enter begins a new line.'),
      problem);
    input.addEventListener('input', () => { problem.textContent = ''; this.#ctx.drafts.set(key, input.value || undefined); });
    input.addEventListener('keydown', (event) => {
      const composing = event.isComposing || event.keyCode === 229;
      if (event.key !== 'Enter' || event.shiftKey || composing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      problem.textContent = this.#send(input, key) ?? '';
    });
    return form;
  }

  #send(input, key) {
    const body = input.value.trim();
    const limit = this.#ctx.connection.limits.body_bytes ?? MAX_BODY_BYTES;
    if (!body) return undefined;
    if (new TextEncoder().encode(body).length > limit) return 'This message is too long. Please send it in parts.';
    input.value = '';
    this.#ctx.drafts.set(key, undefined);
    this.#ctx.outbox.add(this.#id, body);
    this.#toBottom();
    input.focus();
    return undefined;
  }

  #edit(clientId) {
    const body = this.#ctx.outbox.discard(clientId);
    const input = this.#parts.foot.querySelector('textarea');
    if (!input) return;
    input.value = [body, input.value].filter(Boolean).join('\n');
    input.dispatchEvent(new Event('input'));
    input.focus();
  }
}

// --- pieces -----------------------------------------------------------------------------------------------------

function skeleton(on) {
  const title = h('header', { class: 'talk-head' }, h('p', { class: 'note' }, 'Loading…'));
  const older = h('button', { type: 'button', class: 'older plain', hidden: true, on: { click: on.older } }, 'Show earlier entries');
  const list = h('ol', { class: 'entries' });
  const log = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabindex: 0, on: { scroll: on.scroll } }, older, list);
  const jump = h('button', { type: 'button', class: 'jump', hidden: true, on: { click: on.jump } });
  const foot = h('div', { class: 'talk-foot' });
  const rail = h('nav', { class: 'rail', 'aria-label': 'Other rooms' });
  const facts = h('div', { class: 'facts' });
  const factsFold = h('details', { class: 'facts-fold', open: wide.matches }, h('summary', {}, 'Terms and people'), facts);
  wide.onchange = () => { factsFold.open = wide.matches; };
  const node = h('div', { class: 'room' }, rail, title,
    h('aside', { class: 'beside', 'aria-label': 'About this room' }, factsFold),
    h('section', { class: 'talk', 'aria-label': 'Conversation' }, log, jump, foot));
  return { node, title, log, list, older, jump, foot, rail, facts };
}

function messageNode(row, person, state) {
  return h('li', { class: `message ${row.mine ? 'mine' : 'theirs'}${row.head ? ' head' : ''}`, 'data-testid': 'message', 'data-state': row.state ?? 'sent' },
    row.head && !row.mine && avatar(person),
    row.head && h('p', { class: 'who' }, row.mine ? h('span', { class: 'visually-hidden' }, 'You') : name(person), ' ', timeOfDay(row.at)),
    prose(row.body, { class: 'bubble', 'data-testid': 'body' }),
    state);
}

function eventNode(entry, person) {
  const quoted = entry.kind === 'invitation.sent' ? entry.data.message : entry.kind === 'proposal.submitted' ? entry.data.cover_letter : undefined;
  const when = entry.data?.sent_at ?? entry.data?.submitted_at ?? entry.at;
  return h('li', { class: 'event', 'data-testid': 'event', 'data-kind': entry.kind },
    h('p', { class: 'event-line' }, eventParts(entry, person), ' ', quoted ? exactTime(when) : timeOfDay(entry.at)),
    quoted && prose(quoted, { class: 'quoted' }));
}

/** What happened, in one short line; the person's name first. */
function eventParts(entry, person) {
  const { data } = entry;
  switch (entry.kind) {
    case 'invitation.sent': return [name(person), ' invited to an interview.'];
    case 'invitation.accepted': return [name(person), ' accepted the invitation', { as_suggested: ' and left the terms as they are.', new: ' with new terms.' }[data.terms] ?? '.'];
    case 'proposal.submitted': return [name(person), ' submitted a proposal.'];
    case 'terms.proposed': return [name(person), ` proposed terms: ${priceOf(data.terms)} (version ${data.version}).`];
    case 'phase.changed': return [`The candidacy is now ${phaseWord(data.phase)}.`];
    default: return [name(person), `: ${entry.kind.replace(/[._]/g, ' ')}.`];
  }
}

const eventLine = (entry, who) => eventParts(entry, { name: who }).map((part) => part.textContent ?? part).join('');

function readOnlyReason(phase, me) {
  if (!WRITABLE.has(phase)) return `This room is read-only: the candidacy is ${phaseWord(phase)}.`;
  if (me.status && me.status !== 'active') {
    return [`Your account is ${me.status}.`, me.status_reason, me.status_next_step].filter(Boolean).join(' ');
  }
  return null;
}
