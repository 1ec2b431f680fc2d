// What lives here: refusals in words that tell a person what to do next.

const WORDS = {
  terms_stale: 'The terms have moved on meanwhile. Please look at them again.',
  terms_not_pending: 'This was answered, replaced or taken back meanwhile.',
  offer_not_standing: 'This offer was answered or taken back meanwhile.',
  offer_expired: 'The time to answer this offer is over.',
  change_requests_over: 'The time to ask for changes of this offer is over. It can still be accepted or declined.',
  cover_letter_fixed: 'A cover letter is never changed.',
  job_not_open: 'The job was filled or closed meanwhile.',
  ledger_final: 'It is too late for that: what counts is final by now.',
  wrong_phase: 'This is not possible any more: something else happened meanwhile.',
};

/** What to say of an error that a command was answered with. */
export function refusalText({ code, message, retryAfterMs }) {
  if (code === 'change_request_limit') return `You have asked for changes of this offer too often. You can ask again ${inWords(retryAfterMs)}, or write a message.`;
  return WORDS[code] ?? message;
}

function inWords(ms) {
  const minutes = Math.ceil((ms ?? 0) / 60_000);
  return minutes > 1 ? `in ${minutes} minutes` : 'in a minute';
}
