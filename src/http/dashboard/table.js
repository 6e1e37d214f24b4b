// Tables: columns described once; numbers right and aligned; a heading that sorts is a button.

import { h } from './dom.js';

/** Whether there is room for columns marked `narrow` alone, as the stylesheet has it. */
export const narrow = matchMedia('(max-width: 560px)');

/**
 * `columns`: `{ title, cell(row), number, sort, wide, narrow, below, classes }`. `sort` is the value that a click on the heading hands
 * to `onsort`; `sorted` is the one in force. On narrow screens only columns with `narrow` stay; what a column with `below(row)` says
 * stands in a line of its own there, under the rows for which that holds.
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
  const body = rows.map((row) => {
    const more = narrow.matches ? columns.filter((column) => column.below?.(row)) : [];
    return [h('tr', { 'data-id': key?.(row), class: more.length ? 'continued' : null }, columns.map((column, index) => {
      const attributes = { class: classes(column), title: column.hint?.(row) };
      return index === 0 ? h('th', { scope: 'row', ...attributes }, column.cell(row)) : h('td', attributes, more.includes(column) ? '' : column.cell(row));
    })), more.length ? h('tr.below', {}, h('td', { colspan: columns.filter((column) => column.narrow).length }, more.map((column) => below(column, row)))) : null];
  });
  return h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': caption, 'data-key': `table-${caption}` }, h('table', {},
    h('caption.unseen', {}, caption), h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)));
}

/** What has no room in the row: figures with their name, words without. */
function below(column, row) {
  const cell = column.cell(row);
  return column.number ? h('span.fact', {}, h('span.faint', {}, column.title, ' '), cell) : [h('span.unseen', {}, `${column.title}: `), cell];
}

function classes(column) {
  return [column.number && 'number', column.wide && 'wide', !column.narrow && 'spare', column.classes].filter(Boolean).join(' ');
}
