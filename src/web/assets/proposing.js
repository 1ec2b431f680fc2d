// What lives here: the sheet in which somebody proposes other terms, beside the terms as they are.

import { openSheet } from './dialog.js';
import { h, name } from './dom.js';
import { commandForm } from './forms.js';
import { feeTable, termsBeside, termsList } from './terms.js';
import { termsFields } from './termsform.js';

/** The version that stands, and the one that waits for an answer. */
export function versionsOf({ terms, counter }) {
  const isOnlyWaiting = terms?.status === 'pending';
  return { standing: isOnlyWaiting ? undefined : terms, pending: isOnlyWaiting ? terms : counter };
}

const newestOf = (candidacy) => {
  const { standing, pending } = versionsOf(candidacy);
  return pending ?? standing;
};

/** The head of a column: what this version is, and whose. */
export const titleOf = (candidacy, version, word) => [word, h('small', {}, `version ${version.version}, `, name(candidacy[version.by]))];

const wordOf = (version) => ({ standing: 'As it stands', pending: 'Counter-proposal' })[version.status] ?? `Version ${version.version}`;

/** Opens the sheet for `terms.propose`. */
export function openProposing(ctx, candidacy) {
  openSheet('Propose terms', (close) => termsForm(ctx, candidacy, {
    prefix: 'propose', key: `terms:${candidacy.id}:${candidacy.terms_version}`, label: 'Propose terms', type: 'terms.propose', submit: 'Send these terms', close,
    hint: candidacy.role === 'client'
      ? 'Your version is a counter-proposal: it waits until the freelancer accepts or declines it, or answers with another one.'
      : 'Your version stands at once. Nothing binds anybody until there is an offer.',
    read: (terms, expected) => ({ candidacy: candidacy.id, expected_version: expected, ...terms }),
  }));
}

/**
 * A form with fields for terms beside the terms as they are. When those have moved on meanwhile it stays open, shows the new ones, and
 * sends against them the next time.
 *   before               what stands above the fields: {nodes, sync(fields, form)}
 *   read(terms, expected, values)  the command's fields; `terms` is {terms, amounts?}, or empty when the fields are disabled
 */
export function termsForm(ctx, candidacy, { prefix, key, label, type, submit, close, hint, before, read }) {
  let seen = candidacy;
  const start = newestOf(candidacy);
  const fields = termsFields(prefix, { start: start?.terms, fee: start?.fee, kept: ctx.drafts.get(key), takeHome: candidacy.role === 'freelancer' });
  const shown = h('div', { class: 'sheet-aside', 'data-testid': 'as-it-is' }, asItIs(candidacy));
  const form = commandForm(ctx, {
    key, label, type, phase: candidacy.phase, submit, cancel: close,
    children: [before?.nodes, hint && h('p', { class: 'hint' }, hint), fields.set],
    sync: (own) => { before?.sync(fields, own); fields.sync(); },
    read: (values) => read(fields.set.disabled ? {} : fields.read(values), seen.terms_version, values),
    failed: async (error) => {
      if (error.code !== 'terms_stale') return undefined;
      const fresh = await ctx.http.get(`/v1/candidacies/${encodeURIComponent(candidacy.id)}`);
      shown.replaceChildren(...asItIs(fresh, newestOf(seen)));
      seen = fresh;
      return `The terms have moved on: version ${fresh.terms_version} is shown beside this. Look at it, then change yours or send it again.`;
    },
    done: () => { close(); ctx.refresh(); },
  });
  return h('div', { class: 'sheet-columns' }, shown, form);
}

/** The terms now; with `known`, what has changed since that version. */
function asItIs(candidacy, known) {
  const { standing, pending } = versionsOf(candidacy);
  const newest = pending ?? standing;
  if (!newest) return [h('h3', {}, 'The terms now'), h('p', { class: 'note' }, 'No terms proposed yet.')];
  const isMoved = known && known.version !== newest.version;
  const from = isMoved ? known : pending && standing;
  return [
    h('h3', {}, known ? 'The terms have moved on' : 'The terms now'),
    from
      ? termsBeside(from.terms, newest.terms, [titleOf(candidacy, from, isMoved ? 'You have seen' : wordOf(from)), titleOf(candidacy, newest, wordOf(newest))])
      : [termsList(newest.terms), h('p', { class: 'hint' }, `Version ${newest.version}, proposed by `, name(candidacy[newest.by]), '.')],
    feeTable(newest),
  ].flat().filter(Boolean);
}
