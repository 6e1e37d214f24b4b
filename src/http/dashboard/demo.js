// Says so where figures were made up: `pgvitals demo` plays a month of a shop that there never was.

import { FILTERS, read } from './address.js';
import { performance } from './api.js';
import { h, replace } from './dom.js';

/** Whose figures the mark was asked for last. */
let known = null;

/** Shows the mark, or hides it; asks only when other figures are shown than before. */
export async function mark(element) {
  const { params } = read();
  const whose = FILTERS.map((name) => params.get(name) ?? '').join('\n');
  if (whose === known) return;
  known = whose;
  const answer = await performance('alerts', { limit: 1 }).catch(() => null);
  if (whose !== known) return;
  if (!answer) known = null;
  element.hidden = !answer?.demo;
  replace(element, h('b', {}, 'Demo data.'), ' This shop and its month were made up by ', h('code', {}, 'pgvitals demo'), '; no such server exists.');
}
