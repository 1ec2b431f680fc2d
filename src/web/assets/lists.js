// What lives here: the views that are lists. "Find Work › Proposals" and "Open jobs" on the freelancer's side,
// "My Jobs › Candidates" and "Jobs" on the client's.

import { avatar, briefTime, chip, exactTime, h, keepingFocus, name, phaseChip, reasonText } from './dom.js';
import { priceOf } from './money.js';
import { personButton } from './profile.js';

const ACTIVE = new Set(['active', 'offered', 'hired']);
const ENDED = new Set(['declined', 'withdrawn', 'expired', 'closed']);

const inPhases = (role, phases) => ({ candidacies }) => candidacies.filter((candidacy) => candidacy.role === role && phases.has(candidacy.phase));
const activeAs = (role) => inPhases(role, ACTIVE);

const SECTIONS = {
  freelancer: [
    { title: 'Invitations to Interview', rows: inPhases('freelancer', new Set(['invited'])), empty: 'No invitation is waiting for your answer.' },
    { title: 'Submitted', rows: inPhases('freelancer', new Set(['submitted'])), empty: 'No proposal of yours is waiting for a client.' },
    { title: 'Active Candidacies', rows: activeAs('freelancer'), empty: 'Accepted invitations and answered proposals appear here.' },
    { title: 'Archived', rows: inPhases('freelancer', new Set(['archived', ...ENDED])), empty: 'Nothing here. Invitations you ignore move here and can still be answered.' },
  ],
  client: [
    { title: 'Invitations sent', rows: sentInvitations, empty: 'You have invited nobody yet. Open one of your jobs to invite a freelancer.' },
    { title: 'Proposals received', rows: inPhases('client', new Set(['submitted'])), empty: 'No proposal is waiting for your answer.' },
    { title: 'Active Candidacies', rows: activeAs('client'), empty: 'When a freelancer accepts, or you answer a proposal, the room appears here.' },
    { title: 'Ended', rows: endedForClient, empty: 'Nothing has ended.' },
  ],
};

/** Invitations with their own status, each as the candidacy it belongs to. */
function sentInvitations({ candidacies, invitations }) {
  const byId = new Map(candidacies.map((candidacy) => [candidacy.id, candidacy]));
  return invitations
    .filter((invitation) => invitation.role === 'client')
    .map((invitation) => ({
      ...byId.get(invitation.candidacy),
      ...invitation,
      invitation: invitation.id,
      phase: invitation.status,
      updated_at: invitation.answered_at ?? invitation.sent_at,
    }));
}

/** What ended and is not already told by the list of invitations. */
function endedForClient(lists) {
  const told = new Set(lists.invitations.filter((invitation) => invitation.status !== 'accepted').map((invitation) => invitation.candidacy));
  return inPhases('client', ENDED)(lists).filter((candidacy) => !told.has(candidacy.id));
}

/** How many entries of a room are unread. */
function newMark({ unread }, room) {
  const count = room ? unread.of(room) : 0;
  return count > 0 && h('span', { class: 'new' }, `${count} new`);
}

/** Whether something waits for this person: an invitation, a proposal, a counter-proposal or an offer. */
export function waitsFor({ role, phase, counter, terms, turn }) {
  if (phase === 'invited' || phase === 'submitted' || phase === 'offered') return turn?.side === role;
  return phase === 'active' && role === 'freelancer' && Boolean(counter ?? (terms?.status === 'pending'));
}

const FILTERS = [
  ['all', 'All', () => true],
  ['turn', 'Your turn', waitsFor],
  ['offers', 'Offers', ({ phase }) => phase === 'offered'],
  ['hired', 'Hired', ({ phase }) => phase === 'hired'],
  ['ended', 'Ended', ({ phase }) => ENDED.has(phase)],
];

export function candidacyHref({ room, invitation, proposal }) {
  if (room) return `#/room/${encodeURIComponent(room)}`;
  if (invitation) return `#/invitation/${encodeURIComponent(invitation)}`;
  return `#/proposal/${encodeURIComponent(proposal)}`;
}

// --- candidacies ------------------------------------------------------------------------------------------------

export function candidaciesView(ctx, role) {
  const title = role === 'client' ? 'Candidates' : 'Proposals';
  const body = h('div', { class: 'sections' });
  const key = `filter:${role}`;
  const chosen = () => FILTERS.find(([id]) => id === ctx.drafts.get(key)) ?? FILTERS[0];
  const filters = h('div', { class: 'filters', role: 'group', 'aria-label': 'Show' });
  const node = h('div', { class: 'page' }, h('h1', { tabindex: -1 }, title), filters, body);
  const refresh = () => {
    keepingFocus(filters, () => filters.replaceChildren(...FILTERS.map(([id, label]) => h('button', {
      type: 'button', id: `filter-${id}`, class: 'filter', 'aria-pressed': String(id === chosen()[0]), on: { click: () => { ctx.drafts.set(key, id); refresh(); } },
    }, label))));
    keepingFocus(body, () => body.replaceChildren(...listBody(ctx, role, chosen())));
  };
  refresh();
  return { node, title, area: role === 'client' ? 'my' : 'work', refresh, recount: refresh };
}

function listBody(ctx, role, [filter, , isWanted]) {
  const { lists } = ctx;
  if (!lists.loaded) return [h('p', { class: 'note' }, lists.error ? lists.error.message : 'Loading…')];
  const more = lists.more && h('button', { type: 'button', class: 'plain', on: { click: () => lists.showMore() } }, 'Show older ones');
  const sections = SECTIONS[role].map((section) => ({ ...section, found: section.rows(lists).filter((row) => isWanted(row)) })).filter(({ found }) => filter === 'all' || found.length);
  const nothing = !sections.length && h('p', { class: 'note' }, 'Nothing here.');
  return [...sections.map((section) => sectionNode(ctx, section)), nothing, more].filter(Boolean);
}

function sectionNode(ctx, { title, found, empty }) {
  return h('section', { 'aria-label': title, class: 'section' },
    h('h2', {}, title, found.length > 0 && h('span', { class: 'count', 'aria-hidden': 'true' }, found.length)),
    found.length ? h('ul', { class: 'rows' }, found.map((row) => rowNode(ctx, row))) : h('p', { class: 'note' }, empty));
}

function rowNode(ctx, row) {
  const side = row.role === 'client' ? 'freelancer' : 'client';
  const other = row[side];
  const invitation = ctx.lists.invitation(row.invitation);
  const terms = row.terms?.terms;
  const isOpen = row.phase === 'invited' || row.phase === 'archived' || row.phase === 'pending';
  return h('li', { class: 'row' },
    avatar(other),
    h('div', { class: 'row-text' },
      h('p', { class: 'row-title' }, h('a', { href: candidacyHref(row), dir: 'auto' }, row.job.title), newMark(ctx, row.room)),
      h('p', { class: 'row-facts' },
        h('span', {}, personButton(ctx, other, { id: `person-${row.id}`, side })),
        terms && h('span', {}, priceOf(terms)),
        row.phase === 'offered' && row.offer && h('span', {}, 'Offer until ', exactTime(row.offer.expires_at)),
        isOpen && invitation?.expires_at && h('span', {}, 'Answer by ', exactTime(invitation.expires_at)),
        row.phase === 'declined' && invitation?.reason && h('span', { dir: 'auto' }, reasonText(invitation)))),
    h('div', { class: 'row-end' }, ACTIVE.has(row.phase) && waitsFor(row) && chip('Your turn', 'wait'), phaseChip(row.phase), row.updated_at && briefTime(row.updated_at)));
}

/** The short list beside an open room. */
export function roomRail(ctx, role, current) {
  const rows = activeAs(role)(ctx.lists);
  return [
    h('h2', {}, 'Active Candidacies'),
    h('ul', {}, rows.map((row) => h('li', {},
      h('a', { href: candidacyHref(row), 'aria-current': row.room === current && 'page' },
        avatar(role === 'client' ? row.freelancer : row.client),
        h('span', { class: 'rail-text' },
          h('span', { class: 'rail-title', dir: 'auto' }, row.job.title),
          h('span', { class: 'rail-name' }, name(role === 'client' ? row.freelancer : row.client))),
        row.room !== current && newMark(ctx, row.room))))),
  ];
}

/** How many things wait for the person on each side of the table. */
export function waitingCounts({ lists, unread }) {
  const count = (role) => lists.candidacies.filter((row) => row.role === role && (waitsFor(row) || (ACTIVE.has(row.phase) && unread.of(row.room) > 0))).length;
  return { work: count('freelancer'), my: count('client') };
}

// --- jobs -------------------------------------------------------------------------------------------------------

export const isOwnJob = (job, me) => job.client === me.user;

export function jobsView(ctx, area) {
  const title = area === 'my' ? 'Your jobs' : 'Open jobs';
  const body = h('div', {}, h('p', { class: 'note' }, 'Loading…'));
  const node = h('div', { class: 'page' }, h('h1', { tabindex: -1 }, title), body);
  const refresh = async () => {
    try {
      const { items } = await ctx.http.get('/v1/jobs', { limit: 200 });
      const shown = items.filter((job) => (area === 'my' ? isOwnJob(job, ctx.me) : !isOwnJob(job, ctx.me) && job.status === 'open'));
      keepingFocus(body, () => body.replaceChildren(jobRows(shown, area)));
    } catch (error) {
      body.replaceChildren(h('p', { class: 'note' }, error.message));
    }
  };
  refresh();
  return { node, title, area, refresh };
}

function jobRows(jobs, area) {
  if (!jobs.length) return h('p', { class: 'note' }, area === 'my' ? 'You have no jobs here.' : 'No job is open right now.');
  return h('ul', { class: 'rows' }, jobs.map((job) => h('li', { class: 'row' },
    h('div', { class: 'row-text' },
      h('p', { class: 'row-title' }, h('a', { href: `#/job/${encodeURIComponent(job.id)}`, dir: 'auto' }, job.title)),
      job.category && h('p', { class: 'row-facts' }, h('bdi', {}, job.category))),
    h('div', { class: 'row-end' }, h('span', { class: 'chip chip-plain' }, job.status)))));
}
