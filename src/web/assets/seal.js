// What lives here: that a contract was formed. What the seal covers, and its fingerprints.

import { exactTime, h } from './dom.js';

/** Draws what is to be said of a contract into `root`, when it differs from what stands there. */
export function drawSeal(root, contract) {
  const text = JSON.stringify(contract ?? null);
  if (root.dataset.shown === text) return;
  root.dataset.shown = text;
  root.hidden = !contract;
  root.replaceChildren(...(contract ? lines(contract) : []));
}

function lines({ ended_at: endedAt, sealed: { seal, signature } }) {
  return [
    h('p', {}, h('strong', {}, 'Contract formed'), ' on ', exactTime(seal.sealed_at), `: version ${seal.version}, sealed up to entry ${seal.position}.`,
      endedAt && [' It ended on ', exactTime(endedAt), '.']),
    h('details', {},
      h('summary', {}, 'Fingerprints'),
      h('dl', { class: 'terms' }, [
        ['Contract', seal.contract], ['Terms', seal.terms], [`Entry ${seal.position}`, seal.head], ['Key', seal.key], ['Signature', signature],
      ].map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', { class: 'fingerprint' }, value))))),
  ];
}
