// What lives here: what all see of a person. The card behind a name, and how fast somebody answers, in words.

import { openSheet } from './dialog.js';
import { avatar, h, name, outLink } from './dom.js';

/** Where one reads how one's own figure comes about. */
export const HOW_HREF = '#/ledger';

const TIMES = {
  '<24h': 'Usually answers within a day',
  '<3d': 'Usually answers within three days',
  '3d+': 'Usually takes longer than three days',
};

export const TITLES = { freelancer: 'As a freelancer', client: 'As a client' };
const ASKED_BY = { freelancer: 'invitations', client: 'proposals' };

export const NOTHING = 'Not enough answers yet';

export const timeText = ({ response_time: time }) => TIMES[time] ?? time;
export const shareText = ({ answered_within_24h: share }) => `${share}\u00a0% answered within 24\u00a0h`;

/** What `responsiveness.changed` says to the person whose profile it is. */
export function changedText({ side, responsiveness }) {
  const where = `Your profile as a ${side}`;
  if (!responsiveness) return `${where} shows no response speed any more: too few ${ASKED_BY[side]} of late count.`;
  return `${where} now says: ${timeText(responsiveness)}, ${shareText(responsiveness)}.`;
}

/** The profiles that were asked for, each once in the life of the page. */
export class Profiles {
  #http;
  #known = new Map(); // user → promise

  constructor(http) {
    this.#http = http;
  }

  of(user) {
    if (!this.#known.has(user)) {
      const asked = this.#http.get(`/v1/users/${encodeURIComponent(user)}/profile`);
      this.#known.set(user, asked);
      asked.catch(() => { if (this.#known.get(user) === asked) this.#known.delete(user); });
    }
    return this.#known.get(user);
  }

  /** It is another one by now. */
  forget(user) {
    this.#known.delete(user);
  }

  reset() {
    this.#known.clear();
  }
}

/** A name that opens the card of its person; `side` is the one that matters where it stands. */
export const personButton = (ctx, person, { id, side }) => h('button', {
  type: 'button', class: 'link person', id, title: 'Show the profile', 'aria-haspopup': 'dialog', on: { click: () => openProfile(ctx, person, side) },
}, name(person));

/** Opens the card of a person. */
export function openProfile(ctx, person, side) {
  openSheet(name(person), (close) => {
    const body = h('div', { class: 'profile', 'aria-live': 'polite' }, h('p', { class: 'note' }, 'Loading…'));
    ctx.profiles.of(person.id).then(
      (profile) => body.replaceChildren(...card(ctx, profile, side, close)),
      (error) => body.replaceChildren(h('p', { class: 'form-error' }, error.message)),
    );
    return body;
  });
}

function card(ctx, profile, side, close) {
  const isOwn = profile.user === ctx.me.user;
  const link = profile.profile_url && outLink(profile.profile_url, 'Profile on the marketplace');
  const sides = ['freelancer', 'client'].filter((one) => one === side || profile[`as_${one}`]);
  return [
    h('div', { class: 'profile-head' }, avatar(profile), h('p', {}, link || h('bdi', {}, profile.name))),
    ...sides.map((one) => badge(TITLES[one], profile[`as_${one}`])),
    !sides.length && badge('Response speed'),
    isOwn && h('p', {}, h('a', { href: HOW_HREF, on: { click: close } }, 'How this is computed')),
  ].filter(Boolean);
}

const badge = (title, responsiveness) => h('section', { class: 'badge', 'aria-label': title, 'data-testid': 'badge' },
  h('h3', {}, title),
  responsiveness
    ? [h('p', {}, h('strong', {}, timeText(responsiveness))), h('p', { class: 'hint' }, shareText(responsiveness))]
    : h('p', { class: 'note' }, NOTHING));
