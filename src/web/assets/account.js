// What lives here: what the marketplace says of somebody's account, in words.

import { h, linked } from './dom.js';

export const isActive = ({ status }) => !status || status === 'active';

/** Status, reason, whether it can be undone, and the next step, each in a line of its own. */
export function accountLines({ status, status_reason: reason, status_reversible: reversible, status_next_step: nextStep }) {
  if (isActive({ status })) return [h('p', {}, 'Your account is active.')];
  return [
    h('p', {}, h('strong', {}, `Your account is ${status}.`), ' You can read, and not write.'),
    reason && h('p', {}, 'Reason: ', h('bdi', {}, linked(reason))),
    typeof reversible === 'boolean' && h('p', {}, reversible ? 'This can be undone.' : 'This cannot be undone.'),
    nextStep && h('p', {}, 'Next step: ', h('bdi', {}, linked(nextStep))),
  ].filter(Boolean);
}
