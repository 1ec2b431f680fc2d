// What lives here: what the page says of its connection. A word in the corner, and a banner when it lasts.

import { h } from './dom.js';

const AFTER_MS = 1500;
const PLANNED_AFTER_MS = 10_000; // a server that has said that it goes is given time to come back
const WORDS = { live: 'Connected', connecting: 'Connecting', away: 'Reconnecting', stopped: 'Disconnected' };

export class Banner {
  #word;
  #root;
  #signInAgain;
  #timer = 0;
  #wasLive = false;

  constructor(word, root, signInAgain) {
    this.#word = word;
    this.#root = root;
    this.#signInAgain = signInAgain;
  }

  changed(state, why, isPlanned) {
    this.#word.dataset.state = state;
    this.#word.textContent = WORDS[state];
    if (state === 'live' || state === 'stopped') this.#hide();
    if (state === 'live') this.#wasLive = true;
    else if (state === 'stopped') this.#showStopped(why);
    else this.#timer ||= setTimeout(() => this.#showAway(), isPlanned ? PLANNED_AFTER_MS : AFTER_MS);
  }

  #showAway() {
    this.#show(this.#wasLive ? 'The connection was lost. Reconnecting… What you write is kept and sent then.' : 'Connecting…');
  }

  #showStopped(why) {
    const button = (text, click) => h('button', { type: 'button', class: 'plain', on: { click } }, text);
    this.#show(`${why} This page does not reconnect by itself now.`, button('Connect again', () => location.reload()), button('Sign in again', this.#signInAgain));
  }

  #show(text, ...actions) {
    this.#root.replaceChildren(h('p', {}, text), ...actions);
    this.#root.hidden = false;
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }
}
