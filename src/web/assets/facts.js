// What lives here: what is known around a conversation. Terms, people, the job, and the way out.

import { endCandidacy } from './cases.js';
import { avatar, h, name, outLink, termsList } from './dom.js';
import { WRITABLE } from './rows.js';

const part = (title, ...children) => h('section', { 'aria-label': title }, h('h2', {}, title), children);

/** Draws the facts into `root`, when they differ from what stands there. */
export function drawFacts(ctx, root, room, candidacy) {
  const members = room.members.map(({ user, name: called, side, avatar_url: picture }) => ({ id: user, name: called, side, avatar_url: picture }));
  const { terms, phase } = candidacy;
  const text = JSON.stringify([phase, terms, members, room.job]);
  if (root.dataset.shown === text) return;
  root.dataset.shown = text;
  root.replaceChildren(
    part('Terms', terms
      ? [termsList(terms.terms), h('p', { class: 'hint' }, `Version ${terms.version}, proposed by `, name(candidacy[terms.by]))]
      : h('p', { class: 'note' }, 'No terms proposed yet.')),
    part('People', h('ul', { class: 'people' }, members.map((member) => h('li', {},
      avatar(member), h('span', {}, name(member)), h('span', { class: 'side' }, member.side === 'client' ? 'Client' : 'Freelancer'))))),
    part('Job', h('p', { dir: 'auto' }, room.job.url ? outLink(room.job.url, room.job.title) : room.job.title)),
    ...(WRITABLE.has(phase) ? [endCandidacy(ctx, candidacy)] : []));
}
