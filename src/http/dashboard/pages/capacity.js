// Capacity: what grows, how it went on so far, and when it meets its limit.

import { breakable, h, replace } from '../dom.js';
import { href } from '../address.js';
import { bar } from '../charts.js';
import { bytes, count, percent, some, span } from '../format.js';
import { courseChart, courseOf, miniCourse } from '../forecast.js';
import { badge, metricPanel } from '../panel.js';
import { LOOK, looked, page, perDay, placeOf } from './server.js';
import { table } from '../table.js';

const KINDS = [['disk', 'Disk', bytes, 'the disk'], ['databases', 'Databases', bytes, 'database'], ['sequences', 'Sequences', count, 'sequence'], ['wraparound', 'Transaction ids', count, ''], ['connections', 'Connections', count, 'connections'], ['tables', 'Tables', bytes, 'table']];
const DAYS_ALERT = 30;
const DAYS_WARNING = 90;
const USED_WARNING = 50;
const USED_ALERT = 80;

/** What grows, how fast, and when it is full. */
export function capacity() {
  const charts = new Map();
  return page('Capacity', `What grows, and when it is full. ${LOOK}`, metricPanel('capacity', {
    title: 'Growth', classes: 'bare', asks: { limit: 100, series: 'day' },
    draw: (answer, body, remark) => {
      looked(answer, remark);
      const first = soonest(answer);
      // What is told of first has the chart; the disk has one of its own.
      const shown = new Map([['first', first], ['disk', first?.kind === 'disk' ? null : answer.disk?.[0]]].map(([key, row]) => [key, row && chart(charts, key, row, answer)]));
      replace(body, [told(first, shown.get('first')?.host), KINDS.filter(([kind]) => answer[kind]?.length).map(([kind, title, figures]) => h('section.panel.low', { 'aria-label': title },
        h('div.head', {}, h('h2', {}, title), note(kind)),
        h('div.body', {}, shown.get(kind)?.host, table({ caption: title, rows: answer[kind], columns: growth(figures, title, answer, kind) }))))]);
      for (const one of shown.values()) one?.draw();
    },
  }));
}

/** How one of them goes on, in the chart that it had before; null where too little is known. */
function chart(charts, key, row, answer) {
  const going = courseOf(row, answer.complete_to);
  if (!going) return null;
  const [, title, value] = KINDS.find(([kind]) => kind === (row.kind ?? key));
  const limited = going.limit != null;
  const name = [key, title, row.server, row.database, row.name, limited].join(' ');
  if (charts.get(key)?.name !== name) charts.set(key, { name, ...courseChart({ title: row.name || title, value, binary: value === bytes, still: true, height: 170, limited }) });
  const { host, show } = charts.get(key);
  return { host, draw: () => show(going) };
}

function note(kind) {
  if (kind === 'tables') return h('span.note', {}, 'the fastest growing first; ', h('a', { href: href('tables') }, 'their bloat'));
  return kind === 'wraparound' ? h('span.note', {}, 'up to where vacuum is forced; past that, to where the server stops') : null;
}

/** What comes to its end first; undefined: nothing does. */
function soonest(answer) {
  const all = KINDS.flatMap(([kind, title, , one]) => (answer[kind] ?? []).map((row) => ({ ...row, kind, title, one })));
  return all.filter((row) => row.full_in_days != null && !isMild(row, row.title)).sort((a, b) => a.full_in_days - b.full_in_days)[0];
}

/** The same in words, with its chart. */
function told(first, chart) {
  if (!first) return h('section.panel', { 'aria-label': 'What is full first' }, h('div.body', {}, h('p.verdict', {}, badge('good', 'Nothing comes to its end'), h('span', {}, 'as far as was watched; what grows and has a limit is said here first.'))));
  const early = first.earliest_full_in_days == null ? null : within(first.earliest_full_in_days);
  const what = [first.one, first.name, first.database && `of ${first.database}`].filter(Boolean).join(' ');
  return h('section.panel.low', { 'aria-label': 'What is full first' }, h('div.body', {}, h('p.verdict', {}, badge(fullLevel(first), `Full ${within(first.full_in_days)}`),
    h('span', {}, h('b', {}, what), early == null || early === within(first.full_in_days) ? '' : `, ${early} at the earliest`, first.limit ? `; ${percent((100 * first.now) / first.limit)} is used` : '', '.')), chart));
}

/** A forecast of more is none. */
const FAR_DAYS = 3650;

/** When that is, in words. */
function within(days) {
  return days <= 0 ? 'now' : days > FAR_DAYS ? 'in many years' : days < 2 ? `in ${span(days * 86_400)}` : `in ${some(Math.round(days), 'day')}`;
}

/** Below it a limit of transaction ids is where vacuum is forced, which is as it should be; beyond it the server stops. */
const FORCED_MAX = 1e9;

function isMild(row, title) {
  return title === 'Transaction ids' && row.limit < FORCED_MAX;
}

function fullLevel({ full_in_days: left }) {
  return left < DAYS_ALERT ? 'critical' : left < DAYS_WARNING ? 'warning' : 'good';
}

function growth(shown, title, answer, kind) {
  const hasLimit = answer[kind].some((row) => row.limit);
  const columns = [
    { title: 'Name', narrow: true, wide: true, cell: (row) => [named(row, kind, answer.servers), row.name && row.database ? h('small', {}, row.database) : null] },
    { title: 'Now', number: true, narrow: true, cell: (row) => shown(row.now) },
    { title: 'Most seen', number: true, cell: (row) => shown(row.peak) },
    { title: 'Limit', limited: true, number: true, cell: (row) => (row.limit ? shown(row.limit) : h('span.faint', {}, 'none')) },
    { title: 'Used', limited: true, classes: 'used', cell: (row) => used(row, isMild(row, title)) },
    { title: kind === 'tables' ? '' : 'So far, and on', hidden: kind === 'tables', cell: (row) => small(row, answer) },
    { title: 'Grows', number: true, narrow: !hasLimit, cell: (row) => perDay(row, shown) },
    { title: 'Full', limited: true, number: true, narrow: true, cell: (row) => full(row, isMild(row, title)) },
  ];
  return columns.filter((column) => !column.hidden && (hasLimit || !column.limited));
}

/** Its name; a table's leads to its page. */
function named(row, kind, servers) {
  const name = h('b', {}, breakable(row.name || row.database || row.server));
  if (kind !== 'tables') return name;
  const dot = row.name.indexOf('.');
  return h('a', { href: placeOf({ ...row, schema: row.name.slice(0, dot), table: row.name.slice(dot + 1) }, servers) }, name);
}

function small(row, answer) {
  const going = courseOf(row, answer.complete_to);
  const how = row.limit ? ', its forecast and its limit' : ' and its forecast';
  return going ? miniCourse(going, `What ${row.name || row.database || row.server} was${how}`) : h('span.faint', {}, 'not yet known');
}

function used(row, mild) {
  if (!row.limit) return '';
  const part = (100 * row.now) / row.limit;
  return [bar(part, mild ? undefined : part >= USED_ALERT ? 'critical' : part >= USED_WARNING ? 'warning' : undefined), h('small', {}, percent(part))];
}

function full(row, mild) {
  if (row.full_in_days == null) return h('span.faint', {}, '–');
  return h('span', { title: row.earliest_full_in_days == null ? null : `${within(row.earliest_full_in_days)} at the earliest` }, badge(mild ? 'notice' : fullLevel(row), within(row.full_in_days)));
}
