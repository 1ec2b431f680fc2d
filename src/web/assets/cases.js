// What lives here: the views of one thing that is answered. An invitation, a proposal, and a job with the form to propose or to invite.

import { isActive } from './account.js';
import { REASONS, avatar, exactTime, h, keepingFocus, outLink, phaseChip, plain, prose, reasonText } from './dom.js';
import { choice, commandButton, commandForm, field, textArea, textInput } from './forms.js';
import { retractPart } from './ledger.js';
import { isOwnJob } from './lists.js';
import { expiry, expiryField } from './offers.js';
import { personButton } from './profile.js';
import { openProposing } from './proposing.js';
import { feeTable, termsList } from './terms.js';
import { termsFields } from './termsform.js';

const INVITATION = 'Invitation to Interview';
const PROPOSAL = 'Proposal';

const toRoom = (ctx) => ({ room }) => ctx.go(`#/room/${encodeURIComponent(room)}`);
const homeOf = (role) => (role === 'client' ? '#/my/candidates' : '#/work/proposals');

/** A view of one resource that is fetched again on every change and rebuilt only when it differs. */
function resourceView(ctx, path, area, render) {
  const node = h('div', { class: 'page narrow' }, h('p', { class: 'note' }, 'Loading…'));
  const view = { node, title: 'Loading', area };
  let shown = '';
  let newest = 0;
  view.refresh = async () => {
    newest += 1;
    const turn = newest;
    try {
      const item = await ctx.http.get(path);
      const text = JSON.stringify(item);
      if (turn !== newest || text === shown) return;
      shown = text;
      view.rebuild = () => keepingFocus(node, () => node.replaceChildren(...render(item, view)));
      view.rebuild();
      ctx.viewChanged(view);
    } catch (error) {
      if (!shown) node.replaceChildren(h('h1', { tabindex: -1 }, 'Not available'), h('p', { class: 'note' }, error.message));
    }
  };
  view.refresh();
  return view;
}

function caseHead(ctx, item, kind) {
  const side = item.role === 'client' ? 'freelancer' : 'client';
  const other = item[side];
  const isMine = (kind === PROPOSAL) === (item.role === 'freelancer');
  const status = item.status ?? item.phase;
  return [
    h('p', { class: 'back' }, h('a', { href: homeOf(item.role) }, item.role === 'client' ? 'Back to Candidates' : 'Back to Proposals')),
    h('header', { class: 'case-head' },
      avatar(other),
      h('div', {},
        h('p', { class: 'eyebrow' }, kind),
        h('h1', { tabindex: -1, dir: 'auto' }, item.job.title),
        h('p', { class: 'row-facts' },
          h('span', {}, isMine ? 'to ' : 'from ', personButton(ctx, other, { id: 'other-person', side })),
          item.job.url && h('span', {}, outLink(item.job.url, 'Job posting')))),
      phaseChip(status === 'invited' ? 'pending' : status)),
  ];
}

const card = (title, ...children) => h('section', { class: 'card', 'aria-label': title }, h('h2', {}, title), children);
const roomLink = (room) => h('p', {}, h('a', { class: 'button primary', href: `#/room/${encodeURIComponent(room)}` }, 'Open the room'));

// --- invitation -------------------------------------------------------------------------------------------------

/** `answer`: what a notification was answered with. Accepting and declining need words, so their form is opened; ignoring needs none but a click. */
export function invitationView(ctx, id, answer) {
  if (answer === 'accept' || answer === 'decline') ctx.drafts.set(`invitation:${id}:mode`, answer);
  return resourceView(ctx, `/v1/invitations/${encodeURIComponent(id)}`, 'work', (item, view) => {
    Object.assign(view, { title: plain(item.job.title), area: item.role === 'client' ? 'my' : 'work' });
    const isOpen = item.status === 'pending' || item.status === 'archived';
    return [
      ...caseHead(ctx, item, INVITATION),
      card(item.role === 'client' ? 'Your message' : 'Message from the client', prose(item.message), h('p', { class: 'hint' }, 'Sent ', exactTime(item.sent_at))),
      card('Suggested terms', item.terms ? [termsList(item.terms.terms), feeTable(item.terms)] : h('p', { class: 'note' }, 'The client suggested no terms.')),
      isOpen ? answerPart(ctx, item, view) : outcome(ctx, item, view),
    ];
  });
}

function outcome(ctx, item, view) {
  const texts = { accepted: 'The invitation was accepted.', withdrawn: 'The client withdrew the invitation.', expired: 'The invitation expired without an answer.', closed: 'The job was filled or closed before there was an answer.' };
  return card('Outcome',
    h('p', {}, texts[item.status] ?? (item.role === 'client' ? 'The freelancer declined.' : 'You declined.')),
    item.reason && h('p', {}, 'Reason: ', h('strong', { dir: 'auto' }, reasonText(item))),
    item.decline_message && h('div', { 'data-testid': 'decline-message' },
      h('h3', {}, item.role === 'client' ? 'Message from the freelancer' : 'Your message to the client'), prose(item.decline_message)),
    item.answered_at && h('p', { class: 'hint' }, exactTime(item.answered_at)),
    item.room && roomLink(item.room),
    retractPart(ctx, item, () => view.rebuild()));
}

function answerPart(ctx, item, view) {
  const deadline = item.expires_at && h('p', { class: 'deadline' }, 'Answer by ', exactTime(item.expires_at));
  if (item.role === 'client') {
    return card('Waiting for an answer', deadline,
      h('p', {}, 'The freelancer has not answered yet. You may take the invitation back.'),
      commandButton(ctx, { label: 'Withdraw the invitation', type: 'invitation.withdraw', fields: { invitation: item.id }, done: () => ctx.go('#/my/candidates') }));
  }
  const modeKey = `invitation:${item.id}:mode`;
  const mode = ctx.drafts.get(modeKey);
  const choose = (next) => () => {
    ctx.drafts.set(modeKey, next === ctx.drafts.get(modeKey) ? undefined : next);
    view.rebuild();
    view.node.querySelector('form.command :is(input, select, textarea):enabled')?.focus();
  };
  const finish = () => { ctx.drafts.set(modeKey, undefined); };
  const toggle = (value, label, tone) => h('button', { type: 'button', id: `answer-${value}`, class: tone, 'aria-expanded': String(mode === value), on: { click: choose(value) } }, label);
  return card('Your answer', deadline,
    item.status === 'archived' && h('p', { class: 'hint' }, 'You ignored this invitation. It can still be answered.'),
    h('div', { class: 'actions' },
      toggle('accept', 'Accept', mode === 'decline' ? 'plain' : 'primary'),
      toggle('decline', 'Decline', 'plain'),
      item.status === 'pending' && ignoreButton(ctx, item)),
    mode === 'accept' && acceptForm(ctx, item, choose('accept'), finish),
    mode === 'decline' && declineForm(ctx, item, choose('decline'), finish));
}

const ignoreButton = (ctx, item) => commandButton(ctx, {
  label: 'Ignore', type: 'invitation.archive', fields: { invitation: item.id }, tone: 'quiet', done: () => ctx.go('#/work/proposals'),
});

function acceptForm(ctx, item, cancel, finish) {
  const suggested = item.terms?.terms;
  const key = `invitation:${item.id}:accept`;
  const terms = termsFields('accept-terms', { start: suggested, fee: item.terms?.fee, kept: ctx.drafts.get(key), takeHome: true });
  return commandForm(ctx, {
    key, label: 'Accept the invitation', type: 'invitation.accept', submit: 'Accept and send', cancel,
    children: [
      h('fieldset', { class: 'choices-set' },
        h('legend', {}, 'Which terms?'),
        choice('accept-as-is', 'which', 'as_suggested', suggested ? 'Leave the terms as they are' : 'Talk about terms later', { checked: true }),
        choice('accept-new', 'which', 'new', suggested ? 'Propose new terms' : 'Propose terms')),
      terms.set,
      field('Message to the client', textArea('accept-message', 'message', { required: true })),
    ],
    sync: (form) => {
      terms.set.disabled = terms.set.hidden = form.elements.which.value !== 'new';
      terms.sync();
    },
    read: (values) => ({ invitation: item.id, message: values.message, ...(values.which === 'new' ? terms.read(values) : {}) }),
    done: (answer) => { finish(); toRoom(ctx)(answer); },
  });
}

function declineForm(ctx, item, cancel, finish) {
  const other = field('What is the reason?', textInput('decline-other', 'reason_text', { required: true, dir: 'auto', maxlength: 500 }));
  const select = h('select', { id: 'decline-reason', name: 'reason', required: true },
    h('option', { value: '' }, 'Choose a reason'),
    Object.entries(REASONS).map(([value, text]) => h('option', { value }, text)));
  return commandForm(ctx, {
    key: `invitation:${item.id}:decline`, label: 'Decline the invitation', type: 'invitation.decline', submit: 'Decline the invitation', cancel,
    children: [
      field('Reason', select, 'The client is told the reason.'),
      other,
      field('Message to the client (optional)', textArea('decline-message', 'message', { rows: 3 })),
    ],
    sync: () => {
      other.hidden = select.value !== 'other';
      other.querySelector('input').disabled = other.hidden;
    },
    read: ({ reason, reason_text: text, message }) => ({
      invitation: item.id, reason, ...(reason === 'other' ? { reason_text: text } : {}), ...(message.trim() ? { message } : {}),
    }),
    done: () => { finish(); ctx.announce('You declined the invitation.'); ctx.go('#/work/proposals'); },
  });
}

// --- proposal ---------------------------------------------------------------------------------------------------

export function proposalView(ctx, id) {
  return resourceView(ctx, `/v1/proposals/${encodeURIComponent(id)}`, 'work', (item, view) => {
    Object.assign(view, { title: plain(item.job.title), area: item.role === 'client' ? 'my' : 'work' });
    return [
      ...caseHead(ctx, item, PROPOSAL),
      card('Cover letter', item.cover_letter ? prose(item.cover_letter) : h('p', { class: 'note' }, 'No cover letter.'), h('p', { class: 'hint' }, 'Submitted ', exactTime(item.submitted_at))),
      card('Terms', item.terms ? [termsList(item.terms.terms), feeTable(item.terms)] : h('p', { class: 'note' }, 'No terms yet.'), changingTerms(ctx, item)),
      item.room ? card('Room', roomLink(item.room)) : proposalAnswer(ctx, item),
    ];
  });
}

function proposalAnswer(ctx, item) {
  if (item.phase !== 'submitted') return card('Outcome', h('p', {}, 'This proposal is no longer open.'));
  const back = () => ctx.go(homeOf(item.role));
  if (item.role === 'freelancer') {
    return card('Waiting for the client',
      h('p', {}, 'The client writes first. As soon as there is an answer, this becomes a room.'),
      commandButton(ctx, { label: 'Withdraw the proposal', type: 'proposal.withdraw', fields: { proposal: item.id }, done: back }));
  }
  return card('Your answer',
    answerForm(ctx, item),
    h('details', { class: 'more' },
      h('summary', {}, 'Not a fit?'),
      commandButton(ctx, { label: 'Decline the proposal', type: 'proposal.decline', fields: { proposal: item.id }, done: back, tone: 'danger' })));
}

/** A cover letter stays as it was submitted; the terms beside it may still change. */
function changingTerms(ctx, item) {
  if (item.role !== 'freelancer' || item.phase !== 'submitted' || !isActive(ctx.account)) return null;
  const candidacy = { ...item, id: item.candidacy, terms_version: item.terms?.version ?? 0 };
  return h('div', { class: 'actions' }, h('button', { type: 'button', class: 'plain', id: 'propose-terms', on: { click: () => openProposing(ctx, candidacy) } }, 'Change the terms'));
}

/** The client answers in words, with other terms, or with an offer of the terms as they are. */
function answerForm(ctx, item) {
  const key = `proposal:${item.id}:answer`;
  const version = item.terms?.version;
  const now = ctx.connection.now();
  const terms = termsFields('answer-terms', { start: item.terms?.terms, kept: ctx.drafts.get(key) });
  const days = expiryField('answer-days');
  const withIt = (values) => {
    if (values.with === 'terms') return { ...terms.read(values), expected_version: version ?? 0 };
    if (values.with === 'offer') return { offer: { version, hash: item.terms.hash, ...expiry(values.days, now) } };
    return {};
  };
  return commandForm(ctx, {
    key, label: 'Answer the proposal', type: 'proposal.answer', submit: 'Answer and open the room',
    children: [
      field('Message to the freelancer', textArea('answer-message', 'message', { required: true })),
      h('fieldset', { class: 'choices-set' },
        h('legend', {}, 'With it'),
        choice('answer-words', 'with', 'words', 'Nothing else for now', { checked: true }),
        choice('answer-terms', 'with', 'terms', 'Propose other terms'),
        version && choice('answer-offer', 'with', 'offer', `Make an offer of these terms (version ${version})`)),
      terms.set,
      days,
    ],
    sync: (form) => {
      const chosen = form.elements.with.value;
      terms.set.disabled = terms.set.hidden = chosen !== 'terms';
      days.hidden = chosen !== 'offer';
      terms.sync();
    },
    read: (values) => ({ proposal: item.id, message: values.message, ...withIt(values) }),
    done: toRoom(ctx),
  });
}

// --- job --------------------------------------------------------------------------------------------------------

export function jobView(ctx, id) {
  return resourceView(ctx, `/v1/jobs/${encodeURIComponent(id)}`, 'work', (job, view) => {
    const own = isOwnJob(job, ctx.me);
    Object.assign(view, { title: plain(job.title), area: own ? 'my' : 'work' });
    return [
      h('p', { class: 'back' }, h('a', { href: own ? '#/my/jobs' : '#/work/jobs' }, own ? 'Back to Your jobs' : 'Back to Open jobs')),
      h('header', { class: 'case-head' }, h('div', {},
        h('p', { class: 'eyebrow' }, h('bdi', {}, job.category || 'Job')),
        h('h1', { tabindex: -1, dir: 'auto' }, job.title),
        job.url && h('p', { class: 'row-facts' }, outLink(job.url, 'Job posting')))),
      job.description && card('About the job', prose(job.description)),
      jobAction(ctx, job, own),
    ].filter(Boolean);
  });
}

function jobAction(ctx, job, own) {
  if (job.status !== 'open') return h('p', { class: 'note' }, 'This job is no longer open.');
  return own ? inviteCard(ctx, job) : proposeCard(ctx, job);
}

function proposeCard(ctx, job) {
  const key = `job:${job.id}:propose`;
  const terms = termsFields('propose-terms', { kept: ctx.drafts.get(key), takeHome: true });
  return card('Submit a proposal', commandForm(ctx, {
    key, label: 'Submit a proposal', type: 'proposal.submit', submit: 'Submit the proposal',
    children: [
      field('Cover letter', textArea('cover-letter', 'cover_letter', { required: true, rows: 8 }), 'It cannot be changed after it was submitted; the terms can.'),
      terms.set,
    ],
    sync: terms.sync,
    read: (values) => ({ job: job.id, cover_letter: values.cover_letter, ...terms.read(values) }),
    done: (answer) => (answer.room ? toRoom(ctx)(answer) : ctx.go('#/work/proposals')),
  }));
}

function inviteCard(ctx, job) {
  const key = `job:${job.id}:invite`;
  const terms = termsFields('invite-terms', { kept: ctx.drafts.get(key) });
  const suggest = h('input', { id: 'invite-suggest', name: 'suggest', type: 'checkbox' });
  return card('Invite a freelancer', commandForm(ctx, {
    key, label: 'Invite a freelancer', type: 'invitation.send', submit: 'Send the invitation',
    children: [
      field('Freelancer’s user id', textInput('invite-freelancer', 'freelancer', { required: true, maxlength: 64, autocapitalize: 'off', spellcheck: 'false' })),
      field('Message', textArea('invite-message', 'message', { required: true })),
      h('label', { class: 'choice', for: 'invite-suggest' }, suggest, h('span', {}, 'Suggest terms')),
      terms.set,
    ],
    sync: () => { terms.set.disabled = terms.set.hidden = !suggest.checked; terms.sync(); },
    read: (values) => ({ job: job.id, freelancer: values.freelancer.trim(), message: values.message, ...(values.suggest ? terms.read(values) : {}) }),
    done: () => ctx.go('#/my/candidates'),
  }));
}

/** The last thing in a room's facts: leaving the candidacy, behind one more click. */
export function endCandidacy(ctx, candidacy) {
  const own = candidacy.role === 'client'
    ? { summary: 'Decline this candidacy', type: 'candidacy.decline', text: 'The room becomes read-only for both of you.' }
    : { summary: 'Withdraw from this job', type: 'candidacy.withdraw', text: 'The room becomes read-only for both of you.' };
  return h('details', { class: 'more' },
    h('summary', {}, own.summary),
    h('p', { class: 'hint' }, own.text),
    commandButton(ctx, { label: 'Yes, end it', type: own.type, fields: { candidacy: candidacy.id }, done: () => ctx.refresh(), tone: 'danger' }));
}
