// What lives here: that a contract was formed. What the seal covers, its fingerprints, and the transcript of the room.

import { alertLine, exactTime, h } from './dom.js';

/** Draws what is to be said of a contract into `root`, when it differs from what stands there. */
export function drawSeal(ctx, root, contract) {
  const text = JSON.stringify(contract ?? null);
  if (root.dataset.shown === text) return;
  root.dataset.shown = text;
  root.hidden = !contract;
  root.replaceChildren(...(contract ? lines(ctx, contract) : []));
}

function lines(ctx, { room, ended_at: endedAt, sealed: { seal, signature } }) {
  const problem = alertLine();
  const download = (label, format) => h('button', { type: 'button', class: 'link', on: { click: () => fetchTranscript(ctx, room, format, problem) } }, label);
  return [
    h('p', {}, h('strong', {}, 'Contract formed'), ' on ', exactTime(seal.sealed_at), `: version ${seal.version}, sealed up to entry ${seal.position}.`,
      endedAt && [' It ended on ', exactTime(endedAt), '.']),
    h('details', {},
      h('summary', {}, 'Fingerprints and transcript'),
      h('dl', { class: 'terms' }, [
        ['Contract', seal.contract], ['Terms', seal.terms], [`Entry ${seal.position}`, seal.head], ['Key', seal.key], ['Signature', signature],
      ].map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', { class: 'fingerprint' }, value)))),
      h('p', {}, 'Transcript of this room: ', download('a page to read', 'html'), ' or ', download('a file to verify', undefined), '.'),
      problem),
  ];
}

/** The transcript is for whoever has the token, so it is fetched with it and handed over as a file. */
async function fetchTranscript(ctx, room, format, problem) {
  problem.textContent = '';
  try {
    const content = await ctx.http.blob(`/v1/rooms/${encodeURIComponent(room)}/transcript`, { format });
    const url = URL.createObjectURL(content);
    h('a', { href: url, download: `transcript-${room}.${format ?? 'jsonl'}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    problem.textContent = error.message;
  }
}
