// What was seen in the server itself: indexes, tables, capacity.

import { h } from '../dom.js';
import { bar } from '../charts.js';
import { bytes, count, percent, span, time } from '../format.js';
import { badge, code, empty, heading, metricPanel } from '../panel.js';
import { table } from '../table.js';

const LOOK = 'pgvitals looks at the server each hour.';
const STATUS = { active: 'good', low_usage: 'warning', unused: 'alert', drop: 'critical', not_enough_history: 'notice' };
const LEVEL = { healthy: 'good', monitor: 'notice', warning: 'warning', critical: 'critical' };

function page(title, says, ...panels) {
  return { title, element: h('div.page', {}, heading(title, h('p.says', {}, says)), panels.map((one) => one.element)), refresh: (signal) => Promise.all(panels.map((one) => one.refresh(signal))) };
}

function name(row, what) {
  return [h('b', {}, what), h('small', {}, [row.database, row.schema, what === row.table ? '' : row.table].filter(Boolean).join(' · '))];
}

/** Indexes and what speaks for or against them. */
export function indexes() {
  return page('Indexes', `Used or not, over days. ${LOOK}`, metricPanel('indexes', {
    title: 'Indexes', asks: { limit: 500 },
    draw: ({ indexes: rows }) => (rows.length === 0 ? empty('No indexes were seen.') : table({ caption: 'Indexes', rows, columns: [
      { title: 'Index', narrow: true, cell: (row) => name(row, row.index) },
      { title: 'Verdict', narrow: true, cell: (row) => badge(STATUS[row.status] ?? 'notice', row.status.replaceAll('_', ' ')) },
      { title: 'Size', number: true, narrow: true, cell: (row) => bytes(row.size_bytes) },
      { title: 'Scans', number: true, cell: (row) => count(row.scans) },
      { title: 'Unused', number: true, cell: (row) => (row.unused_days >= 1 ? `${count(row.unused_days)} d` : '–') },
      { title: 'Last used', cell: (row) => time(row.last_used) },
      { title: 'Why', wide: true, cell: (row) => [h('span', {}, row.reason), code(row.statement)] }] })),
  }));
}

function bloatTable(caption, rows, what) {
  return table({ caption, rows, columns: [
    { title: caption.slice(0, -1).replace('Indexe', 'Index'), narrow: true, cell: (row) => name(row, what(row)) },
    { title: 'Bloat', number: true, narrow: true, cell: (row) => (row.bloat_percent == null ? h('span.faint', { title: row.withheld }, 'unknown') : badge(LEVEL[row.level] ?? 'notice', percent(row.bloat_percent))) },
    { title: 'Could be free', number: true, narrow: true, cell: (row) => bytes(row.wasted_bytes) },
    { title: 'Size', number: true, cell: (row) => bytes(row.size_bytes) },
    { title: 'Live rows', number: true, cell: (row) => count(row.live_tuples) },
    { title: 'Dead rows', number: true, cell: (row) => count(row.dead_tuples) },
    { title: 'How known', cell: (row) => h('small', {}, (row.method ?? row.withheld ?? '').replaceAll('_', ' ')) },
    { title: 'What to do', wide: true, cell: (row) => [row.advice ? h('span', {}, row.advice) : null, code(row.statement)] }] });
}

/** Tables and indexes by what they waste. */
export function tables() {
  return page('Tables', `Space that is held and not needed. ${LOOK}`, metricPanel('bloat', {
    title: 'Bloat', asks: { threshold: 0, limit: 200 },
    draw: ({ tables: rows, indexes: more }) => (rows.length + more.length === 0 ? empty('No tables were seen.') : [
      rows.length ? bloatTable('Tables', rows, (row) => row.table) : null,
      more.length ? [h('h3', {}, 'Indexes'), bloatTable('Indexes', more, (row) => row.index ?? row.table)] : null]),
  }));
}

const KINDS = [['disk', 'Disk', bytes], ['databases', 'Databases', bytes], ['tables', 'Tables', bytes], ['sequences', 'Sequences', count], ['wraparound', 'Transaction ids', count], ['connections', 'Connections', count]];
const DAYS_ALERT = 30;
const DAYS_WARNING = 90;

/** What grows, how fast, and when it is full. */
export function capacity() {
  return page('Capacity', `What grows, and when it is full. ${LOOK}`, metricPanel('capacity', {
    title: 'Growth',
    draw: (answer) => KINDS.filter(([kind]) => answer[kind]?.length).map(([kind, title, shown]) => [h('h3', {}, title), table({ caption: title, rows: answer[kind], columns: growth(shown) })]),
  }));
}

function growth(shown) {
  return [
    { title: 'Name', narrow: true, wide: true, cell: (row) => [h('b', {}, row.name || row.database || row.server), row.name && row.database ? h('small', {}, row.database) : null] },
    { title: 'Now', number: true, narrow: true, cell: (row) => shown(row.now) },
    { title: 'Limit', number: true, cell: (row) => shown(row.limit) },
    { title: 'Used', cell: (row) => (row.limit ? [bar((100 * row.now) / row.limit), h('small', {}, percent((100 * row.now) / row.limit))] : h('span.faint', {}, 'no limit')) },
    { title: 'Per day', number: true, cell: (row) => (row.growth_per_day == null ? h('span.faint', { title: 'It was not watched for long enough.' }, 'not yet known') : shown(row.growth_per_day)) },
    { title: 'Full in', number: true, narrow: true, cell: full },
  ];
}

function full(row) {
  if (row.full_in_days == null) return h('span.faint', {}, '–');
  const level = row.full_in_days < DAYS_ALERT ? 'critical' : row.full_in_days < DAYS_WARNING ? 'warning' : 'good';
  return badge(level, span(row.full_in_days * 86_400));
}
