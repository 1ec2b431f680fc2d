// What lives here: what is known around a conversation. Offer and terms, people, the job, the transcript, and the way out.

import { endCandidacy } from './cases.js';
import { avatar, h, keepingFocus, outLink } from './dom.js';
import { retractKey, retractPart } from './ledger.js';
import { negotiationKey, termsPart } from './negotiation.js';
import { offeringPart, standingPart } from './offers.js';
import { personButton } from './profile.js';
import { roomMuteKey, roomMutePart } from './push.js';
import { WRITABLE } from './rows.js';
import { transcriptPart } from './transcript.js';

const part = (title, ...children) => h('section', { 'aria-label': title }, h('h2', {}, title), children);

/** Draws the facts into `root`, when they differ from what stands there. */
export function drawFacts(ctx, root, { room, candidacy, log }) {
  const members = room.members.map(({ user, name: called, side, avatar_url: picture }) => ({ id: user, name: called, side, avatar_url: picture }));
  const invitation = ctx.lists.invitation(candidacy.invitation);
  const text = JSON.stringify([roomMuteKey(ctx, candidacy.room), negotiationKey(ctx, candidacy, log), members, room.job, retractKey(ctx, invitation)]);
  if (root.dataset.shown === text) return;
  root.dataset.shown = text;
  keepingOpen(root, () => keepingFocus(root, () => root.replaceChildren(...[
    standingPart(ctx, candidacy),
    termsPart(ctx, candidacy, log),
    offeringPart(ctx, candidacy),
    part('People', h('ul', { class: 'people' }, members.map((member) => h('li', {},
      avatar(member), personButton(ctx, member, { id: `member-${member.id}`, side: member.side }), h('span', { class: 'side' }, member.side === 'client' ? 'Client' : 'Freelancer'))))),
    part('Job', h('p', { dir: 'auto' }, room.job.url ? outLink(room.job.url, room.job.title) : room.job.title)),
    roomMutePart(ctx, candidacy.room),
    transcriptPart(ctx, candidacy.room),
    retractPart(ctx, invitation, () => ctx.refresh()),
    WRITABLE.has(candidacy.phase) && candidacy.phase !== 'hired' && endCandidacy(ctx, candidacy),
  ].filter(Boolean))));
}

/** What was unfolded stays so. */
function keepingOpen(root, rebuild) {
  const open = [...root.querySelectorAll('details[open][id]')].map(({ id }) => id);
  rebuild();
  for (const id of open) root.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '');
}
