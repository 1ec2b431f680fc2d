// What lives here: taking the whole room away, as a page to read or as a file that proves itself.

import { alertLine, h } from './dom.js';

export function transcriptPart(ctx, room) {
  const problem = alertLine();
  const link = (id, label, format) => h('button', { type: 'button', class: 'link', id, on: { click: () => take(ctx, room, format, problem) } }, label);
  return h('section', { 'aria-label': 'Transcript' },
    h('h2', {}, 'Transcript'),
    h('p', {}, 'All of this room, for you to keep: ', link('transcript-page', 'a page to read', 'html'), ' or ', link('transcript-file', 'a file to verify'), '.'),
    problem);
}

/** It is for whoever has the token, so it is fetched with it and handed over as a file. */
async function take(ctx, room, format, problem) {
  problem.textContent = '';
  try {
    const content = await ctx.http.blob(`/v1/rooms/${encodeURIComponent(room)}/transcript`, { format });
    const url = URL.createObjectURL(content);
    h('a', { href: url, download: `room-${room}.${format ?? 'jsonl'}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    problem.textContent = error.message;
  }
}
