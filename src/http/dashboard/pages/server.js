// What was seen in the server itself: lists of indexes and tables.

import { breakable, h } from '../dom.js';
import { href, read, same } from '../address.js';
import { performance } from '../api.js';
import { bytes, count, exact, percent, signed, some, time } from '../format.js';
import { badge, code, empty, figure, heading, panel } from '../panel.js';
import { table } from '../table.js';

/** Said beside what looks tell. */
export const LOOK = 'pgvitals looks at the server each hour.';
/** A huge table in good order wastes more than a small one that is all waste. */
const SEVERITY = ['monitor', 'warning', 'critical'];
export const LEVEL = { healthy: 'good', monitor: 'notice', warning: 'warning', critical: 'critical' };
/** As many as can be asked for. */
export const ROWS_MAX = 1000;

/** A page of panels below a heading. */
export function page(title, says, ...panels) {
  return { title, element: h('div.page', {}, heading(title, h('p.says', {}, says)), panels.map((one) => one.element)), refresh: (signal) => Promise.all(panels.map((one) => one.refresh(signal))) };
}

/** Where the page of an index or a table is; of several servers it says of which. */
export function placeOf(row, servers = []) {
  const server = servers.length > 1 ? { server: row.server } : {};
  return row.index ? href('index', [row.database, row.schema, row.index], server) : href('table', [row.database, row.schema, row.table], server);
}

function name(row, servers) {
  const what = row.index ?? row.table;
  return [h('a', { href: placeOf(row, servers), 'data-key': `to-${row.database}.${row.schema}.${what}` }, h('b', {}, breakable(what))),
    h('small', {}, [row.database, row.schema, what === row.table ? '' : row.table].filter(Boolean).join(' · '))];
}

/** When that was; these figures are of one look, whatever the range. */
export function looked({ complete_to: at }, remark) {
  remark.textContent = `as seen ${time(at)}`;
  remark.title = exact(at);
}

const sum = (rows, of) => rows.reduce((all, row) => all + (of(row) ?? 0), 0);

/** What is said of an index: its level and its words. Advice says more than use where an index is used and yet not needed, or no good. */
export const VERDICTS = { drop: ['critical', 'drop'], unused: ['alert', 'unused'], invalid_index: ['warning', 'invalid'], duplicate_index: ['warning', 'duplicate'], redundant_index: ['warning', 'redundant'], low_usage: ['warning', 'low usage'], not_enough_history: ['notice', 'not enough history'], active: ['good', 'active'] };

/** Indexes and what speaks for or against them. */
export function indexes() {
  const wanted = read().params.get('verdict');
  return page('Indexes', `Used or not, over days. ${LOOK}`, panel({
    title: 'Indexes', load: (signal) => Promise.all(['indexes', 'recommendations'].map((metric) => performance(metric, { limit: ROWS_MAX }, signal))),
    draw: ([answer, { recommendations }], _, remark) => {
      const rows = advised(answer.indexes, recommendations);
      if (rows.length === 0) return empty('No indexes were seen.', 'The role of monitor.url sees those of databases that it may connect to.');
      looked(answer, remark);
      return [verdicts(rows, wanted), indexTable(wanted ? rows.filter((row) => row.status === wanted) : rows, answer.servers)];
    },
  }));
}

/** Indexes with what is advised of them, what asks for a decision first. */
export function advised(rows, recommendations) {
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

function indexTable(rows, servers) {
  return rows.length === 0 ? empty('None has this verdict.') : table({ caption: 'Indexes', rows, columns: [
    { title: 'Index', narrow: true, cell: (row) => name(row, servers) },
    { title: 'Verdict', narrow: true, cell: (row) => badge(...(VERDICTS[row.status] ?? ['notice', row.status])) },
    { title: 'Size', number: true, narrow: true, cell: (row) => bytes(row.size_bytes) },
    { title: 'Scans', number: true, cell: (row) => count(row.scans) },
    { title: 'Unused for', number: true, cell: (row) => (row.unused_days >= 1 ? some(Math.floor(row.unused_days), 'day') : '–') },
    { title: 'Last used', cell: (row) => (row.last_used ? time(row.last_used) : h('span.faint', {}, 'not seen')), hint: (row) => exact(row.last_used) },
    { title: 'Why', wide: true, below: (row) => row.statement || row.status !== 'active', cell: (row) => [h('span', {}, row.reason), code(row.statement), undo(row.undo)] }] });
}

/** What brings an index back, where that is known. */
export function undo(statement) {
  return statement ? h('details', {}, h('summary', {}, 'What brings it back'), code(statement)) : null;
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
        rows.length ? [h('h3', {}, 'Tables'), bloatTable('Tables', rows, answer.servers, growth)] : null,
        more.length ? [h('h3', {}, 'Indexes'), bloatTable('Indexes', more, answer.servers)] : null];
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

function bloatTable(caption, rows, servers, growth) {
  const one = caption === 'Indexes' ? 'Index' : 'Table';
  const grows = (row) => growth.get(key(row.server, row.database, `${row.schema}.${row.table}`));
  return table({ caption, rows, columns: [
    { title: one, narrow: true, cell: (row) => name(row, servers) },
    { title: 'Bloat', number: true, narrow: true, cell: (row) => bloatOf(row) },
    { title: 'Could be free', number: true, narrow: true, cell: (row) => bytes(row.wasted_bytes) },
    { title: 'Size', number: true, cell: (row) => bytes(row.size_bytes) },
    ...(growth ? [{ title: 'Grows', number: true, cell: (row) => perDay(grows(row), bytes) }] : []),
    ...(growth ? [{ title: 'Live rows', number: true, cell: (row) => count(row.live_tuples) }, { title: 'Dead rows', number: true, cell: (row) => count(row.dead_tuples) }] : []),
    { title: 'How known', cell: (row) => h('small', {}, howKnown(row)) },
    { title: 'What to do', wide: true, below: (row) => row.advice || row.statement, cell: (row) => [row.advice ? h('span', {}, row.advice) : null, code(row.statement)] }] });
}

/** How bloat was found out, or why nothing is said. */
const HOW = {
  pgstattuple_approx: 'measured', estimate: 'estimated from statistics', dead_tuples: 'dead rows counted',
  never_analyzed: 'it was never analysed', stale_statistics: 'its statistics are old: ANALYZE', no_statistics: 'the role may not read statistics: pg_read_all_data', toasted: 'its values lie in TOAST',
  name_column: 'a column of type name', partial_index: 'a partial index', expression_index: 'an index of expressions', other_method: 'no B-tree', deduplicated: 'deduplicated',
  small: 'too small to tell', partitioned: 'see its partitions', invalid_index: 'it is not valid', no_time: 'there was no time to look' };

/** How bloat is known, or why it isn't. */
export function howKnown({ method, withheld }) {
  return HOW[method ?? withheld] ?? method ?? withheld;
}

/** Bloat as a level, or that it isn't known. */
export function bloatOf(row) {
  return row?.bloat_percent == null ? h('span.faint', { title: row?.withheld }, 'unknown') : badge(LEVEL[row.level] ?? 'notice', percent(row.bloat_percent));
}

/** How fast something grows. */
export function perDay(row, shown) {
  if (row?.growth_per_day == null) return h('span.faint', { title: 'It was not watched for long enough.' }, 'not yet known');
  const within = row.low == null ? '' : `between ${signed(row.low, shown)} and ${signed(row.high, shown)} by 95 %`;
  return h('span', { title: within }, row.growth_per_day === 0 ? 'no growth' : shown(Math.abs(row.growth_per_day)) === shown(0) ? 'almost none' : `${signed(row.growth_per_day, shown)}/day`);
}
