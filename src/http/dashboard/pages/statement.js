// One statement: its text, how long it takes and when, where its time goes, who runs it, how it fails.

import { h, replace } from '../dom.js';
import { range, read } from '../address.js';
import { overTime } from '../api.js';
import { bar, timeChart } from '../charts.js';
import { length } from '../findings.js';
import { bytes, count, ms, percent, rate, sqlstate, time } from '../format.js';
import { heatMap } from '../heat.js';
import { badge, empty, figure, heading, link, panel } from '../panel.js';
import { rates } from '../series.js';
import { block } from '../sql.js';
import { table } from '../table.js';

/** The page. */
export function statement() {
  const { id } = read();
  const parts = h('div.page', {});
  const hosts = [h('div'), h('div')];
  const lines = [
    timeChart(hosts[0], { title: 'Latency', log: true, value: ms, series: [
      { label: 'P50', colour: 'line-1' }, { label: 'P95', colour: 'line-2', width: 2 }, { label: 'P99', colour: 'line-3' }] }),
    timeChart(hosts[1], { title: 'Calls', value: rate, series: [
      { label: 'Calls/s', colour: 'accent', fill: true }, { label: 'Errors/s', colour: 'critical', fill: true }] }),
  ];
  const whole = panel({
    title: 'Statement', classes: 'bare',
    load: (signal) => overTime('query', { hash: id }, signal),
    draw: (answer, body) => {
      document.title = `${answer.summary || id} – pgvitals`;
      replace(body, content(answer, hosts));
      const data = rates(answer);
      lines[0].update(data.x, [data.p50, data.p95, data.p99], data.ends);
      lines[1].update(data.x, [data.calls, data.errors], data.ends);
    },
  });
  parts.append(heading('Statement', h('p.says', {}, h('code', {}, id), ` in ${range().says}`)), whole.element);
  return { title: 'Statement', element: parts, refresh: whole.refresh };
}

function section(title, classes, ...children) {
  return h('section.panel', { 'aria-label': title, class: `panel ${classes}` }, h('div.head', {}, h('h2', {}, title)), h('div.body', {}, children));
}

function content(answer, hosts) {
  return h('div', {},
    h('div.sheet', {}, block(answer.query)),
    h('dl.figures', {},
      figure('Calls', count(answer.calls), `${rate(answer.calls / length(answer.window))}/s`),
      figure('Time', percent(answer.share_percent), `${ms(answer.total_ms)} in all`),
      figure('P50', ms(answer.p50_ms), `mean ${ms(answer.mean_ms)}`),
      figure('P95', ms(answer.p95_ms), answer.level ?? '', answer.level),
      figure('P99', ms(answer.p99_ms), `longest ${ms(answer.max_ms)}`),
      figure('Errors', percent((100 * answer.errors) / Math.max(1, answer.calls)), `${count(answer.errors)} calls`, answer.errors ? 'alert' : undefined),
      figure('Rows', count(answer.rows), `${rate(answer.rows / Math.max(1, answer.calls))} per call`)),
    h('div.grid', {},
      section('Durations over time', 'whole', heatMap(answer.series)),
      section('Percentiles', 'half', hosts[0]),
      section('Calls', 'half', hosts[1]),
      section('Where its time goes', 'half', split(answer)),
      section('Errors', 'half', errors(answer)),
      section('Who runs it', 'whole', callers(answer)),
      section('Single executions', 'whole', samples(answer))));
}

/** To the first row, sending rows, waiting for the client. */
function split({ total_ms: total, first_row_mean_ms: first, client_stall_ms: stalled, mean_ms: mean, calls, bytes_out: sent, tables, kind }) {
  if (!calls) return empty('No calls in this time.');
  const stall = Math.min(100, (100 * stalled) / Math.max(total, 1e-9));
  const server = first == null ? null : Math.min(100 - stall, (100 * first) / Math.max(mean, 1e-9));
  const rows = server == null
    ? [['The server works', 100 - stall, 'until it is done']]
    : [['To the first row', server, `${ms(first)} on average, of calls with rows`], ['Sending rows', Math.max(0, 100 - stall - server), `${bytes(sent / calls)} per call`]];
  rows.push(['Waiting for the client', stall, `${ms(stalled)} in all`]);
  return [
    h('ul.split', {}, rows.map(([what, share, remark]) => h('li', {}, h('span', {}, what), bar(share), h('span.number', {}, percent(share)), h('small', {}, remark)))),
    h('p.faint', {}, [kind, tables.length ? `of ${tables.join(', ')}` : ''].filter(Boolean).join(' ')),
  ];
}

function errors({ errors_by_code: codes, errors: all, aborted }) {
  const rows = Object.entries(codes);
  if (rows.length === 0 && !aborted) return empty('None of its calls failed.');
  const shown = rows.map(([code, times]) => h('li', {}, h('span', {}, sqlstate(code)), bar((100 * times) / Math.max(1, all), 'alert'), h('span.number', {}, count(times))));
  if (aborted) shown.push(h('li', {}, h('span', {}, 'Connection lost meanwhile'), bar(0), h('span.number', {}, count(aborted))));
  return h('ul.split', {}, shown);
}

function callers({ callers: rows }) {
  if (rows.length === 0) return empty('Nobody in this time.');
  return table({ caption: 'Who runs it', rows, columns: [
    { title: 'Application', narrow: true, wide: true, cell: (row) => row.application || h('span.faint', {}, 'no name') },
    { title: 'User', cell: (row) => row.user },
    { title: 'Database', cell: (row) => row.database },
    { title: 'Of its time', number: true, narrow: true, cell: (row) => percent(row.share_percent) },
    { title: 'Calls', number: true, cell: (row) => count(row.calls) },
    { title: 'P95', number: true, narrow: true, cell: (row) => ms(row.p95_ms) },
    { title: 'Errors', number: true, cell: (row) => count(row.errors) }] });
}

function samples({ samples: rows }) {
  if (rows.length === 0) return empty('None was kept.', 'Executions are kept one by one when they are slower than slow_threshold.');
  return table({ caption: 'Single executions', rows, columns: executionColumns() });
}

/** Columns of executions told one by one. */
export function executionColumns(withStatement = false) {
  const statementColumn = { title: 'Statement', wide: true, narrow: true, cell: (row) => link('statement', row.query_hash, row.query, { class: 'cut mono' }) };
  return [
    { title: 'When', narrow: true, cell: (row) => time(row.at) },
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
