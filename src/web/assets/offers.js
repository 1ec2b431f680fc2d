// What lives here: an offer as the two see it. The client makes it, changes it and takes it back; the freelancer accepts it by version,
// declines it, or asks for a change.

import { openSheet } from './dialog.js';
import { exactTime, h, name } from './dom.js';
import { choice, commandForm, field, textArea, textInput } from './forms.js';
import { mayNegotiate, turnLine } from './negotiation.js';
import { termsForm, titleOf, versionsOf } from './proposing.js';
import { feeTable, termsBeside, termsList } from './terms.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const DAYS = [1, 3, 7];

/** The offer that stands. */
export function standingPart(ctx, candidacy) {
  const { offer, phase } = candidacy;
  return phase === 'offered' && offer?.status === 'standing' && standingOffer(ctx, candidacy, offer);
}

/** The way for the client to make an offer. */
export function offeringPart(ctx, candidacy) {
  const { role, phase } = candidacy;
  if (role !== 'client' || phase !== 'active' || !mayNegotiate(ctx, candidacy) || !offerable(candidacy).length) return null;
  return section(
    h('p', { class: 'hint' }, 'An offer binds you to one version of the terms until it expires.'),
    h('div', { class: 'actions' }, button('make-offer', 'Make an offer', 'primary', () => openOffering(ctx, candidacy))));
}

const section = (...children) => h('section', { 'aria-label': 'Offer', class: 'offer', 'data-testid': 'offer' }, h('h2', {}, 'Offer'), children);
const button = (id, label, tone, click) => h('button', { type: 'button', id, class: tone, on: { click } }, label);

function standingOffer(ctx, candidacy, offer) {
  const { standing } = versionsOf(candidacy);
  const isStanding = standing?.version === offer.terms.version;
  const who = candidacy.role === 'client' ? 'You have' : [name(candidacy.client), ' has'];
  return section(
    turnLine(candidacy),
    h('p', {}, who, ' offered ', h('strong', {}, `version ${offer.terms.version}`), isStanding ? ': the terms as they stand, below.' : '.'),
    h('p', { class: 'deadline' }, 'It can be accepted until ', exactTime(offer.expires_at), '.'),
    !isStanding && (standing
      ? termsBeside(standing.terms, offer.terms.terms, [titleOf(candidacy, standing, 'As it stands'), titleOf(candidacy, offer.terms, 'Offered')])
      : termsList(offer.terms.terms)),
    !isStanding && feeTable(offer.terms),
    mayNegotiate(ctx, candidacy) && h('div', { class: 'actions' }, candidacy.role === 'client' ? clientActions(ctx, candidacy, offer) : freelancerActions(ctx, candidacy, offer)));
}

const clientActions = (ctx, candidacy, offer) => [
  button('change-offer', 'Change the offer', 'plain', () => openOffering(ctx, candidacy, offer)),
  button('withdraw-offer', 'Withdraw the offer', 'plain', () => openEnding(ctx, offer, {
    title: 'Withdraw the offer', type: 'offer.withdraw', text: 'The offer binds you no more. The talk goes on.', hint: 'The freelancer reads it.',
  })),
];

const freelancerActions = (ctx, candidacy, offer) => [
  button('accept-offer', 'Accept the offer…', 'primary', () => openAccepting(ctx, candidacy, offer)),
  button('request-change', 'Ask for a change', 'plain', () => openRequesting(ctx, candidacy, offer)),
  button('decline-offer', 'Decline the offer', 'plain', () => openEnding(ctx, offer, {
    title: 'Decline the offer', type: 'offer.decline', text: 'The offer ends. The talk goes on.', hint: 'The client reads it.',
  })),
];

// --- the client's ------------------------------------------------------------------------------------------------

/** What can be offered: the standing terms, the client's own counter-proposal, and what is offered already. */
function offerable(candidacy, offer) {
  const { standing, pending } = versionsOf(candidacy);
  const all = [
    standing && ['The terms as they stand', standing],
    pending && ['Your counter-proposal', pending],
    offer && ['What you have offered', offer.terms],
  ].filter(Boolean);
  return all.filter(([, version], index) => all.findIndex(([, other]) => other.version === version.version) === index);
}

function openOffering(ctx, candidacy, offer) {
  const choices = offerable(candidacy, offer);
  const now = ctx.connection.now(); // one intention has one expiry, however often it is sent
  const title = offer ? 'Change the offer' : 'Make an offer';
  const shown = h('div', { class: 'chosen-terms' });
  const draw = (number) => {
    const [, version] = choices.find(([, one]) => String(one.version) === number);
    const before = offer && offer.terms.version !== version.version && offer.terms;
    shown.replaceChildren(before
      ? termsBeside(before.terms, version.terms, [`Offered now: version ${before.version}`, `Then: version ${version.version}`])
      : termsList(version.terms));
  };
  openSheet(title, (close) => commandForm(ctx, {
    key: `offer:${candidacy.id}:${choices.map(([, { version }]) => version).join()}`, label: title, type: offer ? 'offer.change' : 'offer.make', submit: offer ? 'Change the offer' : 'Make this offer', cancel: close,
    children: [
      h('fieldset', { class: 'choices-set' }, h('legend', {}, 'Which terms?'),
        choices.map(([label, { version }], index) => choice(`offer-version-${version}`, 'version', version, `${label} (version ${version})`, { checked: index === 0 }))),
      shown,
      expiryField('offer-days'),
      h('p', { class: 'hint' }, 'When the freelancer accepts, the contract is formed and the terms are fixed.'),
    ],
    sync: (form) => draw(form.elements.version.value),
    read: ({ version, days }) => {
      const [, { hash }] = choices.find(([, one]) => String(one.version) === version);
      return { ...(offer ? { offer: offer.id } : { candidacy: candidacy.id }), version: Number(version), hash, ...expiry(days, now) };
    },
    done: () => { close(); ctx.refresh(); },
  }));
}

export const expiryField = (id) => field('It can be accepted for', h('select', { id, name: 'days' },
  h('option', { value: '' }, 'As long as possible'),
  DAYS.map((days) => h('option', { value: days }, days === 1 ? '1 day' : `${days} days`))));

export const expiry = (days, now) => (days ? { expires_at: new Date(now + Number(days) * DAY_MS).toISOString() } : {});

function openEnding(ctx, offer, { title, type, text, hint }) {
  openSheet(title, (close) => commandForm(ctx, {
    key: `${type}:${offer.id}`, label: title, type, submit: title, cancel: close, tone: 'danger',
    children: [h('p', {}, text), field('Reason (optional)', textInput('offer-reason', 'reason', { dir: 'auto', maxlength: 500 }), hint)],
    read: ({ reason }) => ({ offer: offer.id, ...(reason.trim() ? { reason: reason.trim() } : {}) }),
    done: () => { close(); ctx.refresh(); },
  }));
}

// --- the freelancer's --------------------------------------------------------------------------------------------

/** Nobody accepts anything but what stands in this sheet: its version and hash are what is sent. */
function openAccepting(ctx, candidacy, offer) {
  const { version, hash, terms } = offer.terms;
  openSheet(`Accept version ${version}?`, (close) => commandForm(ctx, {
    key: `accept:${offer.id}:${version}`, label: 'Accept the offer', type: 'offer.accept', submit: `Accept version ${version}`, cancel: close,
    children: [
      h('p', {}, 'You accept ', h('strong', {}, `version ${version}`), ' exactly as it stands here. That forms the contract with ', name(candidacy.client), '.'),
      h('div', { class: 'chosen-terms' }, termsList(terms), feeTable(offer.terms)),
      h('details', { class: 'more' }, h('summary', {}, 'Fingerprint of these terms'), h('p', { class: 'fingerprint' }, hash)),
    ],
    read: () => ({ offer: offer.id, version, hash }),
    failed: ({ code }) => (code === 'terms_stale' ? 'The offer was changed meanwhile, and this version was not accepted. Close this and look at the offer again.' : undefined),
    done: () => { close(); ctx.refresh(); },
  }));
}

function openRequesting(ctx, candidacy, offer) {
  const withTerms = h('input', { id: 'request-with-terms', name: 'with_terms', type: 'checkbox' });
  openSheet('Ask for a change', (close) => termsForm(ctx, candidacy, {
    prefix: 'request', key: `request:${offer.id}:${candidacy.terms_version}`, label: 'Ask for a change', type: 'offer.request_change', submit: 'Ask for this change', close,
    before: {
      nodes: [
        field('What should be different?', textArea('request-message', 'message', { required: true, rows: 3 }), 'The offer stands on meanwhile: you can still accept it.'),
        h('label', { class: 'choice', for: 'request-with-terms' }, withTerms, h('span', {}, 'Propose other terms with it')),
      ],
      sync: ({ set }) => { set.disabled = set.hidden = !withTerms.checked; },
    },
    read: (terms, expected, { message }) => ({ offer: offer.id, message, ...(terms.terms ? { ...terms, expected_version: expected } : {}) }),
  }));
}
