// What lives here: texts that were refused because they give away how to reach somebody. Which places of them, why, and what their author
// can do about it. The text itself stays in the field where it was written.

import { h } from './dom.js';

const KINDS = {
  email: ['e-mail address', 'an e-mail address'],
  phone: ['telephone number', 'a telephone number'],
  link: ['link', 'a link that leads to a person'],
  handle: ['name in a messenger', 'a name in a messenger'],
  disguise: ['in disguise', 'contact information in disguise'],
};

const BEFORE = { invited: 'the room is open', archived: 'the room is open', submitted: 'the room is open', active: 'a contract is formed', offered: 'a contract is formed' };

/** The phase in which the texts of a command are judged, unless its form knows better. */
const PHASES = { 'invitation.send': 'invited', 'invitation.decline': 'invited', 'proposal.submit': 'submitted' };

const all = new Intl.ListFormat('en', { type: 'conjunction' });

const wordsOf = (kind) => KINDS[kind] ?? ['contact information', 'contact information'];

export const isContact = ({ code }) => code === 'contact_refused' || code === 'contact_unconfirmed';

/** Whether it may be sent all the same, once its author says so. */
export const isConfirmable = ({ code }) => code === 'contact_unconfirmed';

export const phaseOf = (type) => PHASES[type] ?? 'active';

/** Why it was refused, and what to do next. */
export function contactText(error, phase, spans = error.contact) {
  const found = all.format(new Set(spans.map(({ kind }) => wordsOf(kind)[1])));
  if (isConfirmable(error)) return `This gives away how to reach somebody: ${found}. You can change what is marked, or send it as it is.`;
  return `Contact information cannot be shared ${BEFORE[phase] ? `before ${BEFORE[phase]}` : 'here'}. Please take out what is marked: ${found}.`;
}

/** A text as nodes, with these places of it marked. They are counted in code points. */
export function marked(text, spans) {
  const letters = Array.from(text);
  const parts = [];
  let at = 0;
  for (const { start, end, kind } of spans.toSorted((one, other) => one.start - other.start)) {
    if (start < at) continue;
    const [what] = wordsOf(kind);
    parts.push(letters.slice(at, start).join(''), h('mark', { title: what }, letters.slice(start, end).join(''), h('span', { class: 'visually-hidden' }, ` (${what})`)));
    at = end;
  }
  return [...parts, letters.slice(at).join('')];
}

/** What a command says in a field of the wire, such as terms.milestones.0.title. */
const saidIn = (fields, path) => path.split('.').reduce((part, key) => part?.[key], fields);

/** The control of a form in which that stands. Rows of milestones keep the number they were made under. */
function controlOf(form, path) {
  const [, place] = /^terms\.milestones\.(\d+)\.title$/.exec(path) ?? [];
  if (place === undefined) return form.elements[path.replace(/^terms\./, '')];
  return form.elements[`m${form.elements.milestones?.value.split(',')[place]}_title`];
}

/**
 * The marks of one form. They are below the field they are about, and go when its text is changed.
 *   phase      in which its texts are judged, unless `show` is told another one
 *   confirm()  sends the same again as meant; absent: not from here
 */
export class Marks {
  #form;
  #phase;
  #confirm;
  #boxes = new Map(); // control → {box, described}
  #anyway = null;

  constructor(form, { phase, confirm }) {
    this.#form = form;
    this.#phase = phase;
    this.#confirm = confirm;
    form.addEventListener('input', ({ target }) => {
      this.#anyway?.remove(); // it would send something else than what was warned of
      this.#drop(target);
    });
  }

  clear() {
    for (const control of [...this.#boxes.keys()]) this.#drop(control);
  }

  /** Shows what was refused of these fields. Answers, in words, what no field of the form holds. */
  show(error, fields, phase = this.#phase) {
    this.clear();
    const homeless = [];
    for (const path of new Set(error.contact.map(({ field }) => field))) {
      const spans = error.contact.filter(({ field }) => field === path);
      const control = controlOf(this.#form, path);
      if (control?.checkVisibility?.()) this.#mark(control, saidIn(fields, path) ?? control.value, contactText(error, phase, spans), spans);
      else homeless.push(...spans);
    }
    const [first] = this.#boxes.keys();
    if (first && isConfirmable(error) && this.#confirm) this.#offerAnyway(first);
    first?.focus();
    this.#boxes.get(first)?.box.scrollIntoView({ block: 'nearest' });
    return homeless.length ? `${contactText(error, phase, homeless)} ${homeless.map(({ text }) => `“${text}”`).join(', ')}` : '';
  }

  #mark(control, text, reason, spans) {
    const why = h('p', { class: 'form-error', role: 'alert', id: `${control.id}-refused` }, reason);
    const shown = h('div', { class: 'prose refused-text', dir: 'auto', role: 'group', 'aria-label': 'Your text, with the places marked' }, marked(text, spans));
    const box = h('div', { class: 'refused', 'data-testid': 'refused' }, why, shown);
    const described = control.getAttribute('aria-describedby');
    control.setAttribute('aria-describedby', [described, why.id].filter(Boolean).join(' '));
    control.setAttribute('aria-invalid', 'true');
    this.#boxes.set(control, { box, described });
    (control.closest('.field') ?? this.#form).append(box);
    if (shown.scrollHeight <= shown.clientHeight) return;
    shown.tabIndex = 0; // the arrow keys scroll it
    shown.scrollTop = shown.querySelector('mark').offsetTop - shown.clientHeight / 3;
  }

  #offerAnyway(first) {
    const click = () => {
      first.focus(); // the button goes, and whatever comes of it is told there
      this.#confirm();
    };
    this.#anyway = h('button', { type: 'button', class: 'plain', on: { click } }, 'Send it anyway');
    this.#boxes.get(first).box.append(this.#anyway);
  }

  #drop(control) {
    const { box, described } = this.#boxes.get(control) ?? {};
    if (!box) return;
    box.remove();
    this.#boxes.delete(control);
    control.removeAttribute('aria-invalid');
    if (described) control.setAttribute('aria-describedby', described);
    else control.removeAttribute('aria-describedby');
  }
}
