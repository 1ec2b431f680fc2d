// What lives here: the page before somebody is signed in, and when signing in failed.

import { h } from './dom.js';
import { signIn } from './store.js';

export function showSignIn(main, problem) {
  const field = h('input', { id: 'token', name: 'token', type: 'password', autocomplete: 'off', required: true });
  const form = h('form', { class: 'command', 'aria-label': 'Sign in' },
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), field),
    h('p', { class: 'form-error', role: 'alert' }, problem ?? ''),
    h('div', { class: 'actions' }, h('button', { class: 'primary', type: 'submit' }, 'Sign in')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    signIn(field.value);
    location.reload();
  });
  main.replaceChildren(h('div', { class: 'page narrow sign-in' },
    h('h1', { tabindex: -1 }, 'Sign in'),
    h('p', {}, 'Rooms where clients and freelancers meet before there is a contract. Open the link you were given, or paste your token.'),
    form));
}

export function showProblem(main, problem) {
  main.replaceChildren(h('div', { class: 'page narrow' },
    h('h1', { tabindex: -1 }, 'Not connected'),
    h('p', { role: 'alert' }, problem),
    h('button', { type: 'button', class: 'primary', on: { click: () => location.reload() } }, 'Try again')));
}
