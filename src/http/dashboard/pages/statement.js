// One statement: its text, how long it takes and when, whether that is usual, where its time goes, who runs it, how it fails.

import { h, replace } from '../dom.js';
import { href, only, range, read, same } from '../address.js';
import { overTime } from '../api.js';
import { bar, timeChart } from '../charts.js';
import { length } from '../findings.js';
import { bytes, count, exact, ms, percent, rate, some, sqlstate, time } from '../format.js';
import { heatMap } from '../heat.js';
import { badge, copy, empty, figure, heading, link, panel } from '../panel.js';
import { rates } from '../series.js';
import { block } from '../sql.js';
import { table } from '../table.js';

/** The page. */
export function statement() {
  const { id } = read();
  const parts = h('div.page', {});
  const hosts = [h('div'), h('div')];
  let lines = null;
  const sheet = panel({
    title: 'Statement', classes: 'bare',
    load: (signal) => overTime('query', { hash: id }, signal),
    draw: (answer, body) => {
      document.title = `${answer.summary || id} – pgvitals`;
      replace(body, content(answer, hosts));
      const data = rates(answer);
      lines ??= charts(hosts, answer.baseline?.p95_ms != null);
      lines[0].update(data.x, [data.p50, data.p95, data.p99, data.x.map(() => answer.baseline?.p95_ms ?? null)].slice(0, lines[0].count), data.ends);
      lines[1].update(data.x, [data.calls, data.errors], data.ends);
    },
  });
  parts.append(heading('Statement', h('p.says', {}, h('code', {}, id), ` in ${range().says}`)), sheet.element);
  return { title: 'Statement', element: parts, refresh: sheet.refresh };
}

/** Percentiles and calls; with a line of what is usual where that is known. */
function charts(hosts, hasUsual) {
  const percentiles = [{ label: 'P50', colour: 'line-1' }, { label: 'P95', colour: 'line-2', width: 2 }, { label: 'P99', colour: 'line-3' }];
  if (hasUsual) percentiles.push({ label: 'Usual P95', colour: 'ink-3', width: 1, dash: [5, 4] });
  return [
    timeChart(hosts[0], { title: 'Latency', log: true, value: ms, series: percentiles }),
    timeChart(hosts[1], { title: 'Calls', value: rate, series: [{ label: 'Calls/s', colour: 'accent', fill: true }, { label: 'Errors/s', colour: 'critical', fill: true }] }),
  ];
}

function section(title, classes, ...children) {
  return h('section.panel', { 'aria-label': title, class: `panel ${classes}` }, h('div.head', {}, h('h2', {}, title)), h('div.body', {}, children));
}

function content(answer, hosts) {
  const failing = (100 * answer.errors) / Math.max(1, answer.calls);
  const route = read().params.get('route');
  return h('div', {},
    h('div.sheet', {}, copy(answer.query), block(answer.query), h('p.facts', {}, about(answer).map((one) => h('span', {}, one))),
      route ? h('p.facts', {}, h('span', {}, 'Only calls of the route ', h('b.mono', {}, route), '. ', h('a', { href: same({ route: null }) }, 'All calls'), ' tell more: what is usual, who runs it, where its time goes.')) : null),
    h('dl.figures', {},
      figure('Calls', count(answer.calls), `${rate(answer.calls / length(answer.window))}/s`),
      figure(route ? 'Of the route’s time' : 'Of all time', percent(answer.share_percent), ms(answer.total_ms)),
      figure('P50', ms(answer.p50_ms), `mean ${ms(answer.mean_ms)}`),
      figure('P95', ms(answer.p95_ms), '5 % take longer', answer.level),
      figure('P99', ms(answer.p99_ms), route ? null : `longest ${ms(answer.max_ms)}`),
      figure('Errors', percent(failing), some(answer.errors, 'call'), answer.errors ? (failing >= 5 ? 'alert' : 'warning') : undefined),
      figure('Rows', count(answer.rows), `${rate(answer.rows / Math.max(1, answer.calls))} per call`)),
    answer.calls === 0 ? section('No calls', 'whole', empty(`It was not called in ${range().says}.`, 'A longer time above may show when it was.')) : null,
    h('div.grid', {},
      route ? null : section('As usual?', 'whole', usual(answer.baseline)),
      section('Durations over time', 'whole', heatMap(answer.series)),
      section('Percentiles', 'half', hosts[0]),
      section('Calls', 'half', hosts[1]),
      route ? null : [
        section('Where its time goes', 'half', split(answer)),
        section('Errors', 'half', errors(answer)),
        section('Who runs it', 'half', callers(answer)),
        section('Where it comes from', 'half', routes(answer))],
      section('Single executions', 'whole', samples(answer))));
}

function about({ kind, class: family, tables, batched, calls }) {
  const shared = batched > 0 ? `${percent((100 * batched) / Math.max(1, calls))} of calls sent in batches` : null;
  return [kind, family === 'data' ? null : family, tables.length ? `of ${tables.join(', ')}` : null, shared].filter(Boolean);
}

/** What it used to take, in words. */
function usual(baseline) {
  if (!baseline) return empty('What it used to take is not known.', 'With a store pgvitals compares this day with the same hours of the seven days before (store.url).');
  if (baseline.p95_ms == null || baseline.now_p95_ms == null) return empty('There is nothing yet to compare with.', baseline.reason ?? '');
  const { p95_ms: before, now_p95_ms: now, ratio, days, hours_compared: hours, since, slower_since: slower, is_regression: isWorse } = baseline;
  const [level, words] = isWorse ? ['alert', 'slower than usual'] : ratio < 0.67 ? ['good', 'faster than usual'] : ['good', 'as usual'];
  const times = ratio >= 1 ? `${rate(ratio)} times` : `${percent(100 * ratio)} of`;
  return [
    h('p.verdict', {}, badge(level, words), h('span', {}, 'P95 ', h('b', { 'data-level': isWorse ? 'alert' : null }, ms(now)), ` in the last ${hours === 1 ? 'hour' : `${count(hours)} hours`}, ${times} the usual `, h('b', {}, ms(before)))),
    h('p.faint', { title: slower ? exact(slower) : null }, [slower ? `Slower since ${time(slower)}` : null, `${slower ? 'usual' : 'Usual'} is the same hours of ${some(days, 'day')} from ${time(since)} on`, baseline.reason].filter(Boolean).join('; '), '.'),
  ];
}

/** To the first row, sending rows, waiting for the client. */
function split({ total_ms: total, first_row_mean_ms: first, client_stall_ms: stalled, mean_ms: mean, calls, bytes_out: sent }) {
  if (!calls) return empty('No calls in this time.');
  const stall = Math.min(100, (100 * stalled) / Math.max(total, 1e-9));
  const server = first == null ? null : Math.min(100 - stall, (100 * first) / Math.max(mean, 1e-9));
  const rows = server == null
    ? [['The server works', 100 - stall, 'until it is done']]
    : [['To the first row', server, `${ms(first)} on average, of calls with rows`], ['Sending rows', Math.max(0, 100 - stall - server), `${bytes(sent / calls)} per call`]];
  rows.push(['Waiting for the client', stall, `${ms(stalled)} in all`]);
  return h('ul.split', {}, rows.map(([what, share, remark]) => h('li', {}, h('span', {}, what), bar(share), h('span.number', {}, percent(share)), h('small', {}, remark))));
}

function errors({ errors_by_code: codes, errors: all, aborted }) {
  const rows = Object.entries(codes);
  if (rows.length === 0 && !aborted) return empty('None of its calls failed.');
  const shown = rows.map(([code, times]) => h('li', {}, h('span', {}, sqlstate(code)), bar((100 * times) / Math.max(1, all), 'alert'), h('span.number', {}, count(times))));
  if (aborted) shown.push(h('li', {}, h('span', {}, 'Connection lost meanwhile'), bar(0), h('span.number', {}, count(aborted))));
  return h('ul.split', {}, shown);
}

const FIGURES = [
  { title: 'Of its time', number: true, narrow: true, cell: (row) => percent(row.share_percent) },
  { title: 'Calls', number: true, cell: (row) => count(row.calls) },
  { title: 'P95', number: true, narrow: true, cell: (row) => ms(row.p95_ms) },
  { title: 'Errors', number: true, cell: (row) => count(row.errors) }];

function callers({ callers: rows }) {
  if (rows.length === 0) return empty('Nobody in this time.');
  const who = (row) => [row.application ? whole('application', row.application) : h('span.faint', {}, 'no name'), h('small', {}, `${row.user} · ${row.database}`)];
  return table({ caption: 'Who runs it', rows, columns: [{ title: 'Application', narrow: true, wide: true, cell: who }, ...FIGURES] });
}

function routes({ routes: rows }) {
  if (!rows?.length) return empty('The application does not say.', 'With a comment such as /*route=\'/orders\'*/ (sqlcommenter) each route has its figures here.');
  return table({ caption: 'Where it comes from', rows, columns: [{ title: 'Route', narrow: true, wide: true, cell: (row) => h('span.mono', {}, whole('route', row.value)) }, ...FIGURES] });
}

/** A link to all statements of one route or application. */
function whole(name, value) {
  return h('a', { href: href('statements', '', only(name, value)), title: `All statements of this ${name}` }, value);
}

function samples({ samples: rows }) {
  if (rows.length === 0) return empty('None was kept.', 'Executions are kept one by one when they are slower than slow_threshold, fail, or are sampled.');
  return table({ caption: 'Single executions', rows, columns: executionColumns() });
}

/** Columns of executions told one by one. */
export function executionColumns(withStatement = false) {
  const statementColumn = { title: 'Statement', wide: true, narrow: true, cell: (row) => link('statement', row.query_hash, row.query, { class: 'cut mono' }) };
  return [
    { title: 'When', narrow: true, cell: (row) => time(row.at), hint: (row) => exact(row.at) },
    ...(withStatement ? [statementColumn] : []),
    { title: 'Took', number: true, narrow: true, cell: (row) => badge(row.level, ms(row.duration_ms)) },
    { title: 'First row', number: true, cell: (row) => ms(row.first_row_ms) },
    { title: 'Rows', number: true, cell: (row) => count(row.rows) },
    { title: 'Ended', narrow: !withStatement, cell: (row) => (row.error ? h('span', { 'data-level': 'alert' }, sqlstate(row.error)) : row.reason === 'running' ? 'still running' : 'finished') },
    { title: 'Who', cell: (row) => h('small', {}, [row.application, row.user, row.database].filter(Boolean).join(' · ')) },
    { title: 'Tags', wide: !withStatement, cell: tags },
  ];
}

/** What the application left in comments, and bind values where they are captured. */
export function tags({ tags: pairs, trace_id: trace, parameters }) {
  const shown = Object.entries(pairs ?? {}).map(([name, value]) => h('span.tag', {}, `${name}=${value}`));
  if (trace) shown.push(h('span.tag', {}, `trace ${trace}`));
  (parameters ?? []).forEach((value, index) => shown.push(h('span.tag', {}, `$${index + 1} = ${value === null ? 'null' : String(value)}`)));
  return h('div.tags', {}, shown);
}
