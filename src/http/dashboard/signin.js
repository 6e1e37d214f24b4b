// Signing in, and the window that lists the keys.

import { h } from './dom.js';
import { post } from './api.js';
import { isOpen, open } from './dialog.js';

/** Asks for the token; afterwards the page begins anew. */
export function signIn(why) {
  if (isOpen('signin')) return;
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true });
  const wrong = h('p.wrong', { role: 'alert' });
  const form = h('form', { method: 'dialog' }, h('h2', { id: 'dialog-title' }, 'Sign in'), h('p', {}, /^send http_token/.test(why ?? '') ? 'pgvitals shows its figures to those who know its token.' : why),
    h('label', { for: 'token' }, 'Token (http_token)'), input, wrong, h('button.primary', { type: 'submit' }, 'Sign in'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await post('api/session', { token: input.value });
      note('1');
      location.reload();
    } catch (error) {
      wrong.textContent = error.message;
      input.select();
    }
  });
  open('signin', form);
}

/** Scripts can't see the cookie; this says that there is one. */
const NOTE = 'pgvitals.signed-in';

function note(value) {
  try {
    if (value) localStorage.setItem(NOTE, value);
    else localStorage.removeItem(NOTE);
  } catch { /* Then there is no button to sign out. */ }
}

/** Whether somebody signed in with this browser. */
export function isSignedIn() {
  try { return localStorage.getItem(NOTE) !== null; } catch { return false; }
}

/** Takes the cookie away. */
export async function signOut() {
  await post('api/session', undefined, 'DELETE');
  note(null);
  location.reload();
}

/** What the keys do. */
export function keys(pages) {
  const rows = [['/', 'Search statements'], ...pages.map(([name, title, key]) => [`g ${key}`, title, name]), ['1 … 5', 'Range: the shortest to 30 days'], ['t', 'Light or dark'], ['Esc', 'Close; leave the search'], ['?', 'This list']];
  open('keys', [h('h2', { id: 'dialog-title' }, 'Keyboard'), h('dl.keys', {}, rows.map(([key, what]) => [h('dt', {}, key.split(' ').map((one) => h('kbd', {}, one))), h('dd', {}, what)])),
    h('p.faint', {}, 'Drag over a chart to show that time everywhere. The address holds what you see.'), h('form', { method: 'dialog' }, h('button', { type: 'submit' }, 'Close'))]);
}
