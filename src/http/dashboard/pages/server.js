// What was seen in the server itself: indexes, tables, capacity.

import { h } from '../dom.js';
import { href, read, same } from '../address.js';
import { performance } from '../api.js';
import { bar } from '../charts.js';
import { bytes, count, exact, percent, signed, some, span, time } from '../format.js';
import { badge, code, empty, figure, heading, metricPanel, panel } from '../panel.js';
import { table } from '../table.js';

const LOOK = 'pgvitals looks at the server each hour.';
/** A huge table in good order wastes more than a small one that is all waste. */
const SEVERITY = ['monitor', 'warning', 'critical'];
const LEVEL = { healthy: 'good', monitor: 'notice', warning: 'warning', critical: 'critical' };
const ROWS_MAX = 1000;

function page(title, says, ...panels) {
  return { title, element: h('div.page', {}, heading(title, h('p.says', {}, says)), panels.map((one) => one.element)), refresh: (signal) => Promise.all(panels.map((one) => one.refresh(signal))) };
}

function name(row, what) {
  return [h('b', {}, what), h('small', {}, [row.database, row.schema, what === row.table ? '' : row.table].filter(Boolean).join(' · '))];
}

/** When that was; these figures are of one look, whatever the range. */
function looked({ complete_to: at }, remark) {
  remark.textContent = `as seen ${time(at)}`;
  remark.title = exact(at);
}

const sum = (rows, of) => rows.reduce((all, row) => all + (of(row) ?? 0), 0);

/** What is said of an index: its level and its words. Advice says more than use where an index is used and yet not needed, or no good. */
const VERDICTS = { drop: ['critical', 'drop'], unused: ['alert', 'unused'], invalid_index: ['warning', 'invalid'], duplicate_index: ['warning', 'duplicate'], redundant_index: ['warning', 'redundant'], low_usage: ['warning', 'low usage'], not_enough_history: ['notice', 'not enough history'], active: ['good', 'active'] };

/** Indexes and what speaks for or against them. */
export function indexes() {
  const wanted = read().params.get('verdict');
  return page('Indexes', `Used or not, over days. ${LOOK}`, panel({
    title: 'Indexes', load: (signal) => Promise.all(['indexes', 'recommendations'].map((metric) => performance(metric, { limit: ROWS_MAX }, signal))),
    draw: ([answer, { recommendations }], _, remark) => {
      const rows = advised(answer.indexes, recommendations);
      if (rows.length === 0) return empty('No indexes were seen.', 'The role of monitor.url sees those of databases that it may connect to.');
      looked(answer, remark);
      return [verdicts(rows, wanted), indexTable(wanted ? rows.filter((row) => row.status === wanted) : rows)];
    },
  }));
}

/** Indexes with what is advised of them, what asks for a decision first. */
function advised(rows, recommendations) {
  const advice = new Map(recommendations.filter(({ kind }) => VERDICTS[kind]).map((one) => [key(one.server, one.subject), one]));
  const order = Object.keys(VERDICTS);
  return rows.map((row) => {
    const said = advice.get(key(row.server, `${row.database} ${row.schema}.${row.index}`));
    return said && !row.statement ? { ...row, status: said.kind, reason: said.evidence, statement: said.statement, undo: said.undo } : row;
  }).sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}

/** How many there are of each, and what they hold; each shows its own alone. */
function verdicts(rows, wanted) {
  return h('ul.picks', { 'aria-label': 'Verdicts' }, Object.entries(VERDICTS).map(([status, [level, words]]) => {
    const those = rows.filter((row) => row.status === status);
    if (those.length === 0) return null;
    const isShown = status === wanted;
    return h('li', {}, h('a', { href: same({ verdict: isShown ? null : status }), 'aria-current': isShown ? 'true' : null, 'data-key': `verdict-${status}` }, badge(level, words), h('b', {}, count(those.length)), h('small', {}, bytes(sum(those, (row) => row.size_bytes)))));
  }));
}

function indexTable(rows) {
  return rows.length === 0 ? empty('None has this verdict.') : table({ caption: 'Indexes', rows, columns: [
    { title: 'Index', narrow: true, cell: (row) => name(row, row.index) },
    { title: 'Verdict', narrow: true, cell: (row) => badge(...(VERDICTS[row.status] ?? ['notice', row.status])) },
    { title: 'Size', number: true, narrow: true, cell: (row) => bytes(row.size_bytes) },
    { title: 'Scans', number: true, cell: (row) => count(row.scans) },
    { title: 'Unused for', number: true, cell: (row) => (row.unused_days >= 1 ? some(Math.floor(row.unused_days), 'day') : '–') },
    { title: 'Last used', cell: (row) => (row.last_used ? time(row.last_used) : h('span.faint', {}, 'not seen')), hint: (row) => exact(row.last_used) },
    { title: 'Why', wide: true, cell: (row) => [h('span', {}, row.reason), code(row.statement), row.undo ? h('details', {}, h('summary', {}, 'What brings it back'), code(row.undo)) : null] }] });
}

/** Tables and indexes by what they waste, and how tables grow. */
export function tables() {
  const bloat = panel({
    title: 'Bloat', load: async (signal) => {
      const [seen, growth] = await Promise.all([performance('bloat', { threshold: 0, limit: ROWS_MAX }, signal), performance('capacity', { limit: ROWS_MAX }, signal)]);
      return { ...seen, growth: new Map(growth.tables.map((row) => [key(row.server, row.database, row.name), row])) };
    },
    draw: (answer, _, remark) => {
      const [rows, more] = [answer.tables, answer.indexes].map((all) => all.toSorted((a, b) => SEVERITY.indexOf(b.level) - SEVERITY.indexOf(a.level)));
      const { growth } = answer;
      if (rows.length + more.length === 0) return empty('No tables were seen.', 'The role of monitor.url sees those of databases that it may connect to.');
      looked(answer, remark);
      return [
        bloatFigures(rows, more, growth),
        rows.length ? [h('h3', {}, 'Tables'), bloatTable('Tables', rows, (row) => row.table, growth)] : null,
        more.length ? [h('h3', {}, 'Indexes'), bloatTable('Indexes', more, (row) => row.index ?? row.table)] : null];
    },
  });
  return page('Tables', `Space that is held and not needed, and what grows. ${LOOK}`, bloat);
}

const key = (...parts) => parts.map((part) => part ?? '').join('\u0000');

function bloatFigures(rows, more, growth) {
  const over = (all) => all.filter((row) => row.level === 'warning' || row.level === 'critical');
  const bloated = (title, all) => figure(title, count(over(all).length), over(all).length ? `${bytes(sum(over(all), (row) => row.wasted_bytes))} could be free` : 'none is over the threshold', over(all).length ? 'warning' : undefined);
  const grown = [...growth.values()].filter((row) => row.growth_per_day != null);
  return h('dl.figures', {},
    figure('Tables', count(rows.length), bytes(sum(rows, (row) => row.size_bytes))),
    bloated('Bloated tables', rows),
    bloated('Bloated indexes', more),
    figure('Growth', grown.length ? `${signed(sum(grown, (row) => row.growth_per_day), bytes)}/day` : 'not yet known', grown.length ? `of ${some(grown.length, 'table')}` : 'it takes some days'));
}

function bloatTable(caption, rows, what, growth) {
  const one = caption === 'Indexes' ? 'Index' : 'Table';
  const grows = (row) => growth.get(key(row.server, row.database, `${row.schema}.${row.table}`));
  return table({ caption, rows, columns: [
    { title: one, narrow: true, cell: (row) => name(row, what(row)) },
    { title: 'Bloat', number: true, narrow: true, cell: (row) => (row.bloat_percent == null ? h('span.faint', { title: row.withheld }, 'unknown') : badge(LEVEL[row.level] ?? 'notice', percent(row.bloat_percent))) },
    { title: 'Could be free', number: true, narrow: true, cell: (row) => bytes(row.wasted_bytes) },
    { title: 'Size', number: true, cell: (row) => bytes(row.size_bytes) },
    ...(growth ? [{ title: 'Grows', number: true, cell: (row) => perDay(grows(row), bytes) }] : []),
    ...(growth ? [{ title: 'Live rows', number: true, cell: (row) => count(row.live_tuples) }, { title: 'Dead rows', number: true, cell: (row) => count(row.dead_tuples) }] : []),
    { title: 'How known', cell: (row) => h('small', {}, HOW[row.method ?? row.withheld] ?? row.method ?? row.withheld) },
    { title: 'What to do', wide: true, cell: (row) => [row.advice ? h('span', {}, row.advice) : null, code(row.statement)] }] });
}

/** How bloat was found out, or why nothing is said. */
const HOW = {
  pgstattuple_approx: 'measured', estimate: 'estimated from statistics', dead_tuples: 'dead rows counted',
  never_analyzed: 'it was never analysed', stale_statistics: 'its statistics are old: ANALYZE', no_statistics: 'the role may not read statistics: pg_read_all_data', toasted: 'its values lie in TOAST',
  name_column: 'a column of type name', partial_index: 'a partial index', expression_index: 'an index of expressions', other_method: 'no B-tree', deduplicated: 'deduplicated',
  small: 'too small to tell', partitioned: 'see its partitions', invalid_index: 'it is not valid', no_time: 'there was no time to look' };

function perDay(row, shown) {
  if (row?.growth_per_day == null) return h('span.faint', { title: 'It was not watched for long enough.' }, 'not yet known');
  const within = row.low == null ? '' : `between ${signed(row.low, shown)} and ${signed(row.high, shown)} by 95 %`;
  return h('span', { title: within }, row.growth_per_day === 0 ? 'not' : shown(Math.abs(row.growth_per_day)) === shown(0) ? 'hardly' : `${signed(row.growth_per_day, shown)}/day`);
}

const KINDS = [['disk', 'Disk', bytes, 'the disk'], ['databases', 'Databases', bytes, 'database'], ['sequences', 'Sequences', count, 'sequence'], ['wraparound', 'Transaction ids', count, ''], ['connections', 'Connections', count, 'connections'], ['tables', 'Tables', bytes, 'table']];
const DAYS_ALERT = 30;
const DAYS_WARNING = 90;
const USED_WARNING = 50;
const USED_ALERT = 80;

/** What grows, how fast, and when it is full. */
export function capacity() {
  return page('Capacity', `What grows, and when it is full. ${LOOK}`, metricPanel('capacity', {
    title: 'Growth', classes: 'bare', asks: { limit: 100 },
    draw: (answer, _, remark) => {
      looked(answer, remark);
      return [soonest(answer), KINDS.filter(([kind]) => answer[kind]?.length).map(([kind, title, shown]) => h('section.panel', { 'aria-label': title },
        h('div.head', {}, h('h2', {}, title), note(kind)),
        h('div.body', {}, table({ caption: title, rows: answer[kind], columns: growth(shown, title, answer[kind].some((row) => row.limit)) }))))];
    },
  }));
}

function note(kind) {
  if (kind === 'tables') return h('span.note', {}, 'the fastest growing first; ', h('a', { href: href('tables') }, 'their bloat'));
  return kind === 'wraparound' ? h('span.note', {}, 'up to where vacuum is forced; past that, to where the server stops') : null;
}

/** What comes to its end first, in words. */
function soonest(answer) {
  const all = KINDS.flatMap(([kind, title, , one]) => (answer[kind] ?? []).map((row) => ({ ...row, title, one })));
  const first = all.filter((row) => row.full_in_days != null && !isMild(row, row.title)).sort((a, b) => a.full_in_days - b.full_in_days)[0];
  if (!first) return h('section.panel', { 'aria-label': 'What is full first' }, h('div.body', {}, h('p.verdict', {}, badge('good', 'Nothing comes to its end'), h('span', {}, 'as far as was watched; what grows and has a limit is said here first.'))));
  const early = first.earliest_full_in_days == null ? null : within(first.earliest_full_in_days);
  const what = [first.one, first.name, first.database && `of ${first.database}`].filter(Boolean).join(' ');
  return h('section.panel', { 'aria-label': 'What is full first' }, h('div.body', {}, h('p.verdict', {}, badge(fullLevel(first), `Full ${within(first.full_in_days)}`),
    h('span', {}, h('b', {}, what), early == null || early === within(first.full_in_days) ? '' : `, ${early} at the earliest`, first.limit ? `; ${percent((100 * first.now) / first.limit)} is used` : '', '.'))));
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

function growth(shown, title, hasLimit) {
  const columns = [
    { title: 'Name', narrow: true, wide: true, cell: (row) => [h('b', {}, row.name || row.database || row.server), row.name && row.database ? h('small', {}, row.database) : null] },
    { title: 'Now', number: true, narrow: true, cell: (row) => shown(row.now) },
    { title: 'Most seen', number: true, cell: (row) => shown(row.peak) },
    { title: 'Limit', limited: true, number: true, cell: (row) => (row.limit ? shown(row.limit) : h('span.faint', {}, 'none')) },
    { title: 'Used', limited: true, classes: 'used', cell: (row) => used(row, isMild(row, title)) },
    { title: 'Grows', number: true, narrow: !hasLimit, cell: (row) => perDay(row, shown) },
    { title: 'Full', limited: true, number: true, narrow: true, cell: (row) => full(row, isMild(row, title)) },
  ];
  return columns.filter((column) => hasLimit || !column.limited);
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
