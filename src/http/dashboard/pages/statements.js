// Statements: all of them, sorted, searched, filtered, page by page.

import { h, replace } from '../dom.js';
import { asked, filtered, go, only, range, read, same, serves } from '../address.js';
import { performance } from '../api.js';
import { sparkline } from '../charts.js';
import { length } from '../findings.js';
import { bytes, count, ms, percent } from '../format.js';
import { empty, heading, link, panel } from '../panel.js';
import { line } from '../sql.js';
import { table } from '../table.js';

const PAGE = 50;
const TYPING_MS = 250;
/** So long a time has its lines soon. */
const QUICK_HOURS = 24;

/** Each one's latency over the time chosen; of what the tables alone know there is none. */
const LINE = { title: 'P95 over time', cell: (row) => row.sparkline && sparkline(row.sparkline, `P95 over time, ${ms(row.p95_ms)} in all`, row.gap) };

/** Columns of the table; of a route not all is counted. */
const COLUMNS = [
  { title: 'Statement', wide: true, narrow: true, cell: (row) => link('statement', row.query_hash, line(row.query), { class: 'cut', 'data-key': row.query_hash }), hint: (row) => row.query },
  { title: 'Time', sort: 'total_ms', number: true, narrow: true, cell: (row) => [percent(row.share_percent), h('small', {}, ms(row.total_ms))] },
  { title: 'Calls', sort: 'calls', number: true, cell: (row) => count(row.calls) },
  { title: 'Mean', sort: 'mean_ms', number: true, cell: (row) => ms(row.mean_ms) },
  { title: 'P95', sort: 'p95_ms', number: true, narrow: true, cell: (row) => h('span', { 'data-level': row.level }, ms(row.p95_ms)) },
  LINE,
  { title: 'P99', sort: 'p99_ms', number: true, cell: (row) => ms(row.p99_ms) },
  { title: 'Longest', sort: 'max_ms', number: true, ofAll: true, cell: (row) => ms(row.max_ms) },
  { title: 'Errors', sort: 'errors', number: true, cell: (row) => (row.errors ? h('span', { 'data-level': 'alert' }, count(row.errors)) : h('span.faint', {}, '0')) },
  { title: 'Rows', sort: 'rows', number: true, cell: (row) => count(row.rows) },
  { title: 'Sent', number: true, ofAll: true, cell: (row) => bytes(row.bytes_out) },
];

/** The page. */
export function statements() {
  const { params } = read();
  const known = COLUMNS.filter((column) => !column.ofAll || !params.get('route')).map((column) => column.sort);
  const [sorted, cursor] = [known.includes(params.get('sort')) ? params.get('sort') : 'total_ms', params.get('cursor')];
  const wanted = { sort: sorted, search: params.get('search'), cursor, limit: PAGE, group_by: grouping(params) };
  const list = panel({
    title: 'Statements', classes: 'bare',
    load: async (signal) => {
      if (!list.isDrawn && range().hours > QUICK_HOURS) first(await performance('queries', wanted, signal));
      return performance('queries', { ...wanted, sparkline: 'p95_ms' }, signal);
    },
    draw: (answer, body) => {
      list.isDrawn = true;
      replace(body, draw(answer, sorted, params));
    },
  });
  // Lines over a long time take the tables longer than all else: figures don't wait for them.
  const first = (answer) => replace(list.body, draw({ ...answer, isFirst: true }, sorted, params));
  const filters = h('div.filters', {}, search(params));
  offer(filters, params);
  return { title: 'Statements', element: h('div.page', {}, heading('Statements', h('p.says', {}, `of ${range().says}`)), filters, list.element), refresh: list.refresh };
}

function isSplit(params) {
  return Boolean(params.get('split')) && !params.get('route');
}

function grouping(params) {
  return isSplit(params) ? 'hash,database,user,application' : 'hash';
}

/** Points of a sparkline that one step of what is known may cover, in seconds. */
const STEP_SECONDS = { minute: 60, hour: 3600, day: 86_400 };

function draw({ queries, total, cursor, window, resolution, isFirst }, sorted, params) {
  const point = length(window) / 24;
  for (const row of queries) row.gap = Math.ceil((STEP_SECONDS[resolution] ?? 60) / point);
  if (queries.length === 0) {
    return params.get('search') || filtered().length
      ? empty('No statement fits.', h('a', { href: same({ search: null, ...Object.fromEntries(filtered().map((name) => [name, null])) }) }, 'Show all statements'))
      : empty('No statements in this time.', 'Point your application at pgvitals, or choose a longer time above.');
  }
  const hasLines = isFirst || queries.some((row) => row.sparkline?.some((point) => point != null));
  const shown = COLUMNS.filter((column) => (hasLines || column !== LINE) && !(column.ofAll && params.get('route')));
  const columns = isSplit(params) ? [shown[0], { title: 'Who', cell: who }, ...shown.slice(1)] : shown;
  const begin = Number(params.get('cursor') ?? 0);
  return [
    table({ caption: 'Statements', columns, rows: queries, sorted, onsort: (sort) => go(same({ sort, cursor: null })), key: (row) => row.query_hash }),
    h('nav.pages', { 'aria-label': 'Pages of the table' },
      h('span', {}, `${count(begin + 1)}–${count(begin + queries.length)} of ${count(total)}`),
      begin > 0 ? h('a', { href: same({ cursor: begin > PAGE ? begin - PAGE : null }) }, '← Before') : null,
      cursor ? h('a', { href: same({ cursor }) }, 'Next →') : null),
  ];
}

function who(row) {
  return h('small', {}, [row.application, row.user, row.database].filter(Boolean).join(' · '));
}

/** What is typed and not yet searched for: it outlives the field, which a new range or filter makes anew. */
let typed = null;
let waiting = 0;

function later(text) {
  clearTimeout(waiting);
  typed = text;
  waiting = setTimeout(() => {
    typed = null;
    if (read().page === 'statements') go(same({ search: text, cursor: null }), true);
  }, TYPING_MS);
}

function search(params) {
  const input = h('input', { type: 'search', id: 'search', placeholder: 'Search text or hash  ( / )', 'aria-label': 'Search statements', value: typed ?? params.get('search') ?? '', spellcheck: 'false', autocomplete: 'off', 'data-key': 'search' });
  input.addEventListener('input', () => later(input.value));
  return input;
}

/** Who there is, and which routes, asked for once a minute, not with each letter of a search. */
let everybody = { at: 0 };
const EVERYBODY_KEPT_MS = 60_000;
const WHO = ['database', 'user', 'application'];

function everyone() {
  const all = Object.fromEntries([...WHO, 'route'].map((name) => [name, null]));
  const of = JSON.stringify({ ...asked(), ...all });
  if (everybody.of !== of || Date.now() - everybody.at > EVERYBODY_KEPT_MS) {
    const rows = performance('queries', { ...all, group_by: 'hash,database,user,application', limit: 1000 });
    const tags = performance('tags', { ...all, ...lately(), key: 'route', limit: 1000 });
    everybody = { of, at: Date.now(), rows: rows.then(({ queries }) => queries).catch(() => []), routes: tags.then((answer) => answer.tags.map((tag) => tag.value)).catch(() => []) };
  }
  return Promise.all([everybody.rows, everybody.routes]);
}

/** Tags are kept by the minute: of a long time the end names the routes, and any other can be typed. */
const ROUTES_HOURS = serves ? 1 : 24;

function lately() {
  const { name, to, hours } = range();
  const last = Math.min(hours, ROUTES_HOURS);
  return name === 'custom' ? { from: new Date(to - last * 3.6e6).toISOString() } : { hours: last };
}

/** Lists of who there is, once it is known. */
async function offer(filters, params) {
  const [queries, routes] = await everyone();
  for (const name of WHO) {
    const values = [...new Set([...queries.map((row) => row[name]), params.get(name)].filter(Boolean))].sort();
    const options = [h('option', { value: '' }, `Any ${name}`), ...values.map((value) => h('option', { value, selected: value === params.get(name) }, value))];
    filters.append(h('select', { 'aria-label': name, 'data-key': name, onchange: (event) => go(same(only(name, event.target.value))) }, options));
  }
  if (routes.length || params.get('route')) filters.append(...routeField(routes, params));
  const split = h('input', { type: 'checkbox', checked: isSplit(params), disabled: Boolean(params.get('route')), 'data-key': 'split', onchange: (event) => go(same({ split: event.target.checked ? '1' : null, cursor: null })) });
  filters.append(h('label.check', { title: params.get('route') ? 'Figures of a route are not split by who runs it.' : null }, split, 'By who runs it'));
}

/** There may be a thousand: a field that finds them as one types. */
function routeField(routes, params) {
  const options = [...routes].sort().map((value) => h('option', { value }));
  const field = h('input.route', { type: 'search', list: 'routes', placeholder: 'Any route', 'aria-label': 'route', value: params.get('route') ?? '', spellcheck: 'false', autocomplete: 'off', 'data-key': 'route' });
  const choose = () => go(same(only('route', field.value.trim())));
  field.addEventListener('change', choose);
  // Taken from the list, or cleared: nothing is typed that one would have to wait for.
  field.addEventListener('input', ({ inputType }) => { if (!inputType || inputType === 'insertReplacementText') choose(); });
  return [field, h('datalist', { id: 'routes' }, options)];
}
