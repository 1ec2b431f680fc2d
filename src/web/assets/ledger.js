// What lives here: the ledger of response speed as its owner reads it. Every row with its reason, the figure above them, and the client's
// way to take an answered invitation out of it.

import { chip, dateText, exactTime, h, keepingFocus } from './dom.js';
import { commandButton } from './forms.js';
import { NOTHING, TITLES, shareText, timeText } from './profile.js';

const PAGE = 50;
const HOUR_MS = 60 * 60_000;
const FINAL_AFTER_MS = 24 * HOUR_MS; // what the server has by default; it has the last word
const SIDES = ['freelancer', 'client'];

// --- words ------------------------------------------------------------------------------------------------------

const VERDICTS = { waiting: ['Waiting', 'wait'], answered: ['Counts: answered', 'good'], unanswered: ['Counts: unanswered', 'bad'], void: ['Does not count', 'plain'] };

/** What the clock of a row runs for, and who asked. */
const ASKING = {
  freelancer: { began: 'Invited', what: 'the invitation', other: 'The client' },
  client: { began: 'Proposal received', what: 'the proposal', other: 'The freelancer' },
};

const STOPPED = {
  accepted: 'Accepted', declined: 'Declined', reported: 'Reported', answered: 'Answered', expired: 'Time ended', overdue: 'Time ended',
  withdrawn_early: 'Taken back', withdrawn: 'Taken back', job_closed: 'Job ended', removed: 'Removed',
};

/** Why a row counts or does not, in one sentence. */
const REASONS = {
  waiting: (asking) => `The clock runs until you answer ${asking.what}; so far it does not count.`,
  accepted: () => 'You accepted the invitation: that is an answer, so it counts with the time it took.',
  declined: (asking) => `You declined ${asking.what}: that is an answer too, so it counts with the time it took.`,
  reported: () => 'You reported the invitation: that is an answer too, so it counts with the time it took.',
  answered: () => 'You answered the proposal: it counts with the time that took.',
  expired: () => 'The invitation expired without an answer: it counts as never answered.',
  overdue: () => 'The time to answer the proposal ended without an answer: it counts as never answered.',
  withdrawn_early: (asking, hours) => `${asking.other} took ${asking.what} back within ${hours} hours: it does not count.`,
  withdrawn: (asking, hours) => `${asking.other} took ${asking.what} back after more than ${hours} hours without an answer: it counts as never answered.`,
  job_closed: (asking) => (asking === ASKING.client
    ? 'The job was filled or closed before you answered: it counts as never answered.'
    : 'The job was filled or closed before you answered, which you could not prevent: it does not count.'),
  removed: (asking) => `The marketplace removed ${asking.what} before there was an answer: it does not count.`,
  retracted: () => 'The client took it out of the ledger in time: it does not count.',
};

const reasonSentence = ({ side, reason, started_at: started, final_at: final }) => {
  const hours = Math.round((Date.parse(final) - Date.parse(started)) / HOUR_MS);
  return REASONS[reason]?.(ASKING[side], hours) ?? `${reason.replaceAll('_', ' ')}.`;
};

const many = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

function durationText(seconds) {
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit));
  if (!minutes) return 'less than a minute';
  if (!hours) return many(minutes, 'minute');
  const [whole, rest] = days > 1 ? [many(days, 'day'), hours % 24 && many(hours % 24, 'hour')] : [many(hours, 'hour'), minutes % 60 && many(minutes % 60, 'minute')];
  return rest ? `${whole} ${rest}` : whole;
}

// --- the page ---------------------------------------------------------------------------------------------------

export function ledgerView(ctx, area) {
  const body = h('div', {}, h('p', { class: 'note' }, 'Loading…'));
  const node = h('div', { class: 'page narrow' },
    h('h1', { tabindex: -1 }, 'Response speed'),
    h('p', { class: 'ledger-intro' }, 'Each invitation that reaches you as a freelancer, and each proposal that reaches you as a client, starts a clock, and your first answer stops it. ',
      'Your profile shows two things about those of late that count: how long you usually take (the median, where one that was never answered counts as endless), ',
      'and how many you answered within 24 hours. Only you can read the rows.'),
    body);
  const pages = { freelancer: 1, client: 1 };
  let shown = '';
  let newest = 0;
  let wanted = null; // the row to be at once it is there: another refresh may draw it than the one that asked for it
  const refresh = async () => {
    newest += 1;
    const turn = newest;
    try {
      const ledgers = await Promise.all(SIDES.map((side) => pagesOf(ctx, side, pages[side])));
      const text = JSON.stringify(ledgers, (key, value) => (key === 'since' ? undefined : value));
      if (turn !== newest || text === shown) return;
      shown = text;
      keepingFocus(body, () => body.replaceChildren(...sections(ctx, ledgers, more)));
      const row = wanted && body.querySelectorAll(`[data-side=${wanted.side}] .ledger-row a`)[wanted.known];
      if (!row) return;
      wanted = null;
      row.focus();
    } catch (error) {
      if (!shown) body.replaceChildren(h('p', { class: 'note', role: 'alert' }, error.message));
    }
  };
  const more = async (side, known) => {
    pages[side] += 1;
    wanted = { side, known };
    await refresh();
  };
  refresh();
  return { node, title: 'Response speed', area, refresh };
}

/** So many pages of one side, as one. */
async function pagesOf(ctx, side, count) {
  const ledger = { side, items: [], next: undefined };
  for (let page = 0; page < count; page += 1) {
    const { items, next, figure } = await ctx.http.get('/v1/me/ledger', { side, limit: PAGE, before: ledger.next });
    Object.assign(ledger, { items: [...ledger.items, ...items], next, figure });
    if (!next) break;
  }
  return ledger;
}

function sections(ctx, ledgers, more) {
  const found = ledgers.filter(({ items }) => items.length);
  if (!found.length) return [h('p', { class: 'note' }, 'Nobody has asked you for an answer yet.')];
  const now = ctx.connection.now();
  return found.map(({ side, figure, items, next }) => h('section', { class: 'section', 'aria-label': TITLES[side], 'data-side': side },
    h('h2', {}, TITLES[side]),
    figureNode(figure),
    h('ul', { class: 'rows' }, items.map((row) => rowNode(row, now))),
    next && h('p', {}, h('button', { type: 'button', class: 'plain', id: `older-${side}`, on: { click: () => more(side, items.length) } }, 'Show earlier ones'))));
}

function figureNode({ since, counted, answered_within_24h: within, median_seconds: median, shown }) {
  const middle = median === undefined ? 'that of one that was never answered' : durationText(median);
  return h('div', { class: 'card figure', 'data-testid': 'figure' },
    h('p', {}, 'Your profile shows: ', h('strong', {}, shown ? `${timeText(shown)}, ${shareText(shown)}` : NOTHING), '.'),
    h('p', { class: 'hint' }, counted
      ? `Since ${dateText(since)}, ${counted === 1 ? '1 row counts' : `${counted} rows count`}: ${within} of ${counted} answered within 24\u00a0h. The median is ${middle}.`
      : `Since ${dateText(since)}, no row counts.`));
}

function rowNode(row, now) {
  const { side, job, round, started_at: started, stopped_at: stopped, until, response_seconds: seconds, reason, verdict } = row;
  return h('li', { class: 'row ledger-row', 'data-testid': 'ledger-row', 'data-reason': reason },
    h('div', { class: 'row-text' },
      h('p', { class: 'row-title' }, h('a', { href: hrefOf(row), dir: 'auto' }, job.title)),
      h('p', { class: 'row-facts' },
        h('span', {}, `${ASKING[side].began} `, exactTime(started)),
        round > 1 && h('span', {}, `Asked again (round ${round})`),
        stopped ? h('span', {}, `${STOPPED[reason] ?? 'Clock stopped'} `, exactTime(stopped)) : h('span', {}, 'Open until ', exactTime(until)),
        seconds !== undefined && h('span', {}, `Took ${durationText(seconds)}`)),
      h('p', {}, reasonSentence(row)),
      h('p', { class: 'hint' }, finality(row, now), !row.in_window && ' It is too old for the figure by now.')),
    h('div', { class: 'row-end' }, chip(...(VERDICTS[verdict] ?? [verdict]))));
}

/** Whether it can still become something else. An answer to a proposal nobody takes out. */
function finality({ side, verdict, final_at: final }, now) {
  if (verdict === 'waiting') return 'Not final: you can still answer.';
  if (verdict === 'answered' && side === 'freelancer' && now < Date.parse(final)) return ['Not final before ', exactTime(final), ': until then the client can take it out.'];
  return 'Final.';
}

const hrefOf = ({ invitation, proposal }) => (invitation ? `#/invitation/${encodeURIComponent(invitation)}` : `#/proposal/${encodeURIComponent(proposal)}`);

// --- taking out -------------------------------------------------------------------------------------------------

const draftOf = ({ id }) => `retracted:${id}`;
const finalAt = ({ sent_at: sent }) => Date.parse(sent) + FINAL_AFTER_MS;

/** What the part below depends on: out, possible, or neither. */
export function retractKey(ctx, invitation) {
  if (invitation?.role !== 'client' || !['accepted', 'declined'].includes(invitation.status)) return undefined;
  if (ctx.drafts.get(draftOf(invitation))) return 'out';
  return ctx.connection.now() < finalAt(invitation) ? 'possible' : undefined;
}

/** The client's way to take an answered invitation out of the freelancer's ledger, as long as there is one. */
export function retractPart(ctx, invitation, done) {
  const key = retractKey(ctx, invitation);
  if (!key) return null;
  const isOut = key === 'out';
  return h('details', { class: 'more', id: 'retract', open: isOut },
    h('summary', {}, 'Response speed'),
    isOut
      ? h('p', { class: 'hint' }, 'You took this invitation out of the freelancer’s response speed. Nothing else changes by that.')
      : [
        h('p', { class: 'hint' }, 'How fast this invitation was answered counts on the freelancer’s profile. You can take it out until ', exactTime(new Date(finalAt(invitation)).toISOString()), '. Nothing else changes by that.'),
        commandButton(ctx, {
          id: 'retract-invitation', label: 'Take it out', type: 'invitation.retract', fields: { invitation: invitation.id },
          done: () => {
            ctx.drafts.set(draftOf(invitation), true);
            ctx.announce('Taken out of the freelancer’s response speed.');
            done();
            document.querySelector('#retract summary')?.focus();
          },
        }),
      ]);
}
