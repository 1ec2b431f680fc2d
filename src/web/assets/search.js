// What lives here: messages found by their words, in one room or in all of one's own.

import { briefTime, h, name } from './dom.js';
import { choice } from './forms.js';

const PAGE = 30;

const hrefOf = (query, room = '') => `#/search/${encodeURIComponent(query)}/${encodeURIComponent(room)}`;

export function searchView(ctx, query, room, area) {
  const results = h('div', { class: 'results', 'aria-live': 'polite' });
  const node = h('div', { class: 'page narrow' },
    room && h('p', { class: 'back' }, h('a', { href: `#/room/${encodeURIComponent(room)}` }, 'Back to the room')),
    h('h1', { tabindex: -1 }, 'Search'),
    searchForm(ctx, query, room), results);
  if (query) find(ctx, results, { q: query, room: room || undefined });
  return { node, title: 'Search', area, refresh: () => {}, focus: () => node.querySelector('input[type=search]').select() };
}

function searchForm(ctx, query, room) {
  const input = h('input', { id: 'search', name: 'q', type: 'search', autocomplete: 'off', dir: 'auto', required: true, maxlength: 200, value: query });
  const form = h('form', { role: 'search', class: 'search', 'aria-label': 'Messages' },
    h('label', { for: 'search' }, 'Words in messages'),
    h('div', { class: 'search-line' }, input, h('button', { type: 'submit', class: 'primary' }, 'Search')),
    room && h('div', { class: 'choices' },
      choice('search-here', 'where', 'here', 'In this room', { checked: true }),
      choice('search-all', 'where', 'all', 'In all rooms')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const isHere = room && form.elements.where.value === 'here';
    if (input.value.trim()) ctx.go(hrefOf(input.value.trim(), isHere ? room : ''));
  });
  return form;
}

async function find(ctx, results, question) {
  results.replaceChildren(h('p', { class: 'note' }, 'Searching…'));
  const list = h('ul', { class: 'rows', 'aria-label': 'Messages found' });
  const more = h('button', { type: 'button', class: 'plain', hidden: true }, 'Show more');
  const page = async (before) => {
    const { items, next } = await ctx.http.get('/v1/search', { ...question, limit: PAGE, before });
    list.append(...items.map((entry) => hitNode(ctx, entry)));
    more.hidden = !next;
    more.onclick = () => page(next).catch((error) => ctx.announce(error.message));
  };
  try {
    if (!ctx.lists.loaded) await ctx.lists.refresh();
    await page();
    results.replaceChildren(...(list.children.length ? [list, more] : [h('p', { class: 'note' }, 'No message has all of these words.')]));
  } catch (error) {
    results.replaceChildren(h('p', { class: 'note' }, error.message));
  }
}

/** A hit leads to its message; a version that is not the first leads to the message it belongs to. */
function hitNode({ lists, me }, { room, seq, kind, at, by, data, amended_by: amended }) {
  const candidacy = lists.candidacies.find((one) => one.room === room);
  const person = [candidacy?.client, candidacy?.freelancer].find((one) => one?.id === by) ?? { id: by };
  const target = kind === 'message.edited' ? data.seq : seq;
  return h('li', { class: 'row hit', 'data-testid': 'hit' },
    h('div', { class: 'row-text' },
      h('p', { class: 'row-facts' }, h('span', {}, by === me.user ? 'You' : name(person)), candidacy && h('span', {}, h('bdi', {}, candidacy.job.title)), h('span', {}, briefTime(at)), amended && h('span', {}, 'edited since')),
      h('a', { class: 'hit-link', href: `#/room/${encodeURIComponent(room)}/${target}` }, h('span', { class: 'prose hit-text', dir: 'auto' }, data.body))));
}
