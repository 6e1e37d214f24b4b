// The one window over the page: keys, signing in, and what is asked before something is done.

import { h, replace } from './dom.js';

const dialog = () => document.getElementById('dialog');

/** Shows `content`, whose heading has the id `dialog-title`; `what` tells one use from another. */
export function open(what, content) {
  replace(dialog(), content);
  dialog().dataset.what = what;
  if (!dialog().open) dialog().showModal();
}

/** Whether it is open for this. */
export function isOpen(what) {
  return dialog().open && dialog().dataset.what === what;
}

/** Closes it; the focus goes back to where it was, if that is still there. */
export function close() {
  dialog().close();
}

/**
 * Asks for what `fields` hold, and does something with it. `act()` may fail: the window then says why and stays.
 * `fields` are elements; the first one has the focus.
 */
export function ask(what, { title, text, fields, verb, act }) {
  const wrong = h('p.wrong', { role: 'alert' });
  const go = h('button.primary', { type: 'submit' }, verb);
  const form = h('form', {}, h('h2', { id: 'dialog-title' }, title), h('p.faint', {}, text), fields, wrong,
    h('div.buttons', {}, go, h('button.quiet', { type: 'button', onclick: close }, 'Cancel')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    wrong.textContent = '';
    try {
      await act();
    } catch (error) {
      wrong.textContent = error.message;
    }
    go.disabled = false;
  });
  open(what, form);
}

/** An input with its label. */
export function field(label, attributes) {
  const input = h('input', attributes);
  return { input, element: h('label.field', {}, h('span', {}, label), input) };
}

/** Some choices of which one holds; `value()` tells which. */
export function choices(legend, name, options, first) {
  const inputs = options.map(([value]) => h('input', { type: 'radio', name, value, checked: value === first }));
  const element = h('fieldset.choices', {}, h('legend', {}, legend), options.map(([, text], index) => h('label', {}, inputs[index], text)));
  return { element, value: () => inputs.find((input) => input.checked)?.value };
}
