// What lives here: making elements, and turning data into words. Nothing in this file knows the server.
// Text from people reaches the page through text nodes only, so markup in a message stays text.

/** Makes an element. `props` are attributes; `on` holds listeners; absent, null and false ones are left out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    } else {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

/** A person's name, kept from turning the direction of the text around it. */
export const name = (person) => h('bdi', {}, person?.name || person?.id || 'Someone');

/** Two letters on a coloured disc; the picture itself when there is one that may be shown. */
export function avatar(person) {
  const shown = person?.name || person?.id || '?';
  const tone = [...shown].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  const disc = h('span', { class: `avatar tone-${tone}`, 'aria-hidden': 'true' }, initials(shown));
  if (person?.avatar_url?.startsWith('https://')) {
    disc.replaceChildren(h('img', { src: person.avatar_url, alt: '', loading: 'lazy', referrerpolicy: 'no-referrer' }));
  }
  return disc;
}

function initials(text) {
  const words = text.trim().split(/\s+/);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return picked.map((word) => [...word][0] ?? '').join('').toUpperCase();
}

/** A link out of the page, or plain text when the address is not http or https. */
export function outLink(address, text = address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return text;
  return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow ugc', dir: 'auto' }, text);
}

/** A text as nodes, with its web addresses made links. */
export function linked(text) {
  const parts = String(text).split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/);
  return parts.map((part, index) => (index % 2 ? outLink(part) : part));
}

/** What a person wrote: line breaks kept, direction taken from the text. */
export const prose = (text, props = {}) => h('p', { ...props, class: `prose ${props.class ?? ''}`.trim(), dir: 'auto' }, linked(text));

/** A text for places without markup, such as the window's title: what would turn the direction of its surroundings is left out. */
export const plain = (text) => text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');

export const chip = (text, tone = 'plain') => h('span', { class: `chip chip-${tone}` }, text);

/** The place where a form or a view says what went wrong. */
export const alertLine = () => h('p', { class: 'form-error', role: 'alert' });

/** Rebuilds a part of the page and gives the focus back to the element that had it. */
export function keepingFocus(root, rebuild) {
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const mark = active?.id ? `#${CSS.escape(active.id)}` : active?.getAttribute('href') ? `a[href="${CSS.escape(active.getAttribute('href'))}"]` : null;
  rebuild();
  if (mark) root.querySelector(mark)?.focus({ preventScroll: true });
}

/**
 * One stop of the Tab key for many like elements of a list, the arrow keys between them. Answers what is to be called when the list changed.
 */
export function rove(list, selector) {
  list.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.target.matches(selector)) return;
    event.preventDefault();
    const all = [...list.querySelectorAll(selector)];
    all[all.indexOf(event.target) + step]?.focus();
  });
  return () => {
    const all = [...list.querySelectorAll(selector)];
    for (const node of all) node.tabIndex = node === document.activeElement || node === all.at(-1) ? 0 : -1;
  };
}

// --- time -------------------------------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const plainDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const fullTime = new Intl.DateTimeFormat(undefined, {
  weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: 'numeric', minute: '2-digit', timeZoneName: 'short',
});

export const isSameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();
export const dayOf = (at) => (isSameDay(at, Date.now()) ? 'Today' : dayName.format(new Date(at)));

/** A day without a time, such as a start date. */
export const dateText = (day) => plainDate.format(new Date(day));

const timeNode = (at, text) => h('time', { datetime: at, title: fullTime.format(new Date(at)) }, text);
export const timeOfDay = (at) => timeNode(at, clock.format(new Date(at)));
export const exactTime = (at) => timeNode(at, fullTime.format(new Date(at)));
export const briefTime = (at) => timeNode(at, (isSameDay(at, Date.now()) ? clock : shortDay).format(new Date(at)));

// --- words ------------------------------------------------------------------------------------------------------

export const REASONS = {
  not_interested: 'Not interested in this kind of work',
  outside_my_skills: 'Outside my skills',
  too_busy: 'Too busy at the moment',
  budget_too_low: 'The budget is too low',
  timeline_unworkable: 'The timeline does not work',
  description_unclear: 'The description is unclear',
  client_concern: 'Concerns about the client',
  looks_like_spam: 'This looks like spam',
  other: 'Another reason',
};

export const reasonText = (item) => item.reason_text || REASONS[item.reason] || item.reason;

const PHASES = {
  invited: ['Invited', 'wait'], pending: ['Waiting for an answer', 'wait'], archived: ['Ignored', 'plain'], submitted: ['Submitted', 'wait'],
  accepted: ['Accepted', 'good'], active: ['Active', 'good'], offered: ['Offer made', 'wait'], hired: ['Hired', 'good'],
  declined: ['Declined', 'bad'], withdrawn: ['Withdrawn', 'plain'], expired: ['Expired', 'plain'], closed: ['Closed', 'plain'],
};

/** A phase or an invitation's status as a small label. */
export function phaseChip(phase) {
  const [text, tone] = PHASES[phase] ?? [phase, 'plain'];
  return chip(text, tone);
}

const SENTENCES = {
  active: 'The candidacy is now active.', offered: 'An offer stands now.', hired: 'The freelancer is hired. The talk goes on here, under the contract.',
  closed: 'The candidacy is now closed.', expired: 'The candidacy has expired.',
};

/** What a change of phase means, as a sentence. */
export const phaseSentence = (phase) => SENTENCES[phase] ?? `The candidacy is now ${phaseWord(phase)}.`;

export const phaseWord = (phase) => (PHASES[phase]?.[0] ?? phase).toLowerCase();
