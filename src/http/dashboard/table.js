// Tables: columns described once; numbers right and aligned; a heading that sorts is a button.

import { h } from './dom.js';

/**
 * `columns`: `{ title, cell(row), number, sort, wide, narrow, classes }`. `sort` is the value that a click on the heading hands
 * to `onsort`; `sorted` is the one in force. On narrow screens only columns with `narrow` stay.
 */
export function table({ caption, columns, rows, sorted, onsort, key }) {
  const head = columns.map((column) => {
    const isSorted = column.sort && column.sort === sorted;
    const attributes = { scope: 'col', class: classes(column), 'aria-sort': isSorted ? 'descending' : null };
    if (!column.sort) return h('th', attributes, column.title || h('span.unseen', {}, 'More'));
    const button = h('button.sort', { type: 'button', 'data-key': `sort-${column.sort}`, onclick: () => onsort(column.sort) },
      column.title, h('span.arrow', { 'aria-hidden': 'true' }, isSorted ? '↓' : ''));
    return h('th', attributes, button);
  });
  const body = rows.map((row) => h('tr', { 'data-id': key?.(row) }, columns.map((column, index) => {
    const attributes = { class: classes(column), title: column.hint?.(row) };
    return index === 0 ? h('th', { scope: 'row', ...attributes }, column.cell(row)) : h('td', attributes, column.cell(row));
  })));
  return h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': caption, 'data-key': `table-${caption}` }, h('table', {},
    h('caption.unseen', {}, caption), h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)));
}

function classes(column) {
  return [column.number && 'number', column.wide && 'wide', !column.narrow && 'spare', column.classes].filter(Boolean).join(' ');
}
