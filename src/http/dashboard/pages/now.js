// Now: statements in flight, open transactions, and what was slow a moment ago.

import { h } from '../dom.js';
import { live, performance } from '../api.js';
import { timeChart } from '../charts.js';
import { count, exact, ms, rate, some, span, time } from '../format.js';
import { badge, empty, figure, heading, link, metricPanel, panel } from '../panel.js';
import { seconds } from '../series.js';
import { line } from '../sql.js';
import { table } from '../table.js';
import { executionColumns, tags } from './statement.js';

const STATES = { running: 'running', fetching: 'sending rows', waiting_for_client: 'waits for the client' };
const WARN_MS = 1000;
const ALERT_MS = 30_000;
const CHART_HEIGHT = 110;

/** The page. */
export function now() {
  const second = h('dl.figures', { 'aria-label': 'The last second' }, figure('Calls', '–', 'waiting for the first second'));
  const [hosts, draw] = charts();
  const round = { asked: null };
  const inFlight = panel({ title: 'In flight', load: () => round.asked, draw: drawStatements });
  const open = panel({ title: 'Open transactions', load: () => round.asked, draw: drawTransactions });
  const slow = metricPanel('slow_queries', { title: 'Slow a moment ago', asks: { hours: 1, from: null, to: null, limit: 20 }, draw: drawSlow });
  const show = () => {
    drawSecond(second);
    draw();
  };
  if (live.seconds.length) setTimeout(show);
  const fresh = h('div.fresh.low.stack', {}, second, hosts);
  return {
    title: 'Now',
    every: 2,
    element: h('div.page', {}, heading('Now', h('p.says', {}, 'each second; what is in flight every two')), fresh, inFlight.element, open.element, slow.element),
    refresh: (signal) => {
      round.asked = performance('active', { limit: 100 }, signal);
      // Of a server that others measure nothing is known here, and no figure is to stand for it.
      const isOurs = (ours) => [fresh, open.element].forEach((one) => { one.hidden = !ours; });
      round.asked.then(() => isOurs(true), ({ kind }) => isOurs(kind !== 'bad-parameter'));
      return Promise.all([inFlight, open, slow].map((one) => one.refresh(signal)));
    },
    events: { live: show },
  };
}

/** The last minutes, second by second. */
function charts() {
  const hosts = [h('div'), h('div')];
  const lines = [
    timeChart(hosts[0], { title: 'Calls of the last minutes', value: rate, height: CHART_HEIGHT, series: [{ label: 'Calls/s', colour: 'accent', fill: true }, { label: 'Errors/s', colour: 'critical', fill: true }] }),
    timeChart(hosts[1], { title: 'Latency of the last minutes', log: true, value: ms, height: CHART_HEIGHT, series: [{ label: 'P50', colour: 'line-1' }, { label: 'P95', colour: 'line-2', width: 2 }] }),
  ];
  const draw = () => {
    const data = seconds(live.seconds, null);
    lines[0].update(data.x, [data.calls, data.errors], data.ends);
    lines[1].update(data.x, [data.p50, data.p95], data.ends);
  };
  const framed = (title, host) => h('section.panel.half', { 'aria-label': title }, h('div.head', {}, h('h2', {}, title), h('span.note', {}, 'the last five minutes')), h('div.body', {}, host));
  return [h('div.grid', {}, framed('Calls', hosts[0]), framed('Latency', hosts[1])), draw];
}

function drawSecond(figures) {
  const second = live.seconds.at(-1);
  figures.replaceChildren(
    figure('Calls', `${rate(second.calls)}/s`, time(second.at)),
    figure('P50', ms(second.p50_ms)),
    figure('P95', ms(second.p95_ms)),
    figure('P99', ms(second.p99_ms)),
    figure('Errors', `${rate(second.errors)}/s`, '', second.errors ? 'alert' : undefined),
    figure('Connections', count(second.connections)));
}

function age(value) {
  return value >= ALERT_MS ? 'critical' : value >= WARN_MS ? 'warning' : 'good';
}

function drawStatements({ statements }, _, remark) {
  remark.textContent = statements.length ? some(statements.length, 'statement') : '';
  return statements.length === 0 ? empty('No statement is in flight at this moment.') : table({ caption: 'Statements in flight', rows: statements, columns: [
    { title: 'For', narrow: true, cell: (row) => badge(age(row.age_ms), ms(row.age_ms)) },
    { title: 'Statement', wide: true, narrow: true, cell: (row) => link('statement', row.query_hash, line(row.query), { class: 'cut', 'data-key': row.query_hash }), hint: (row) => row.query },
    { title: 'State', narrow: true, cell: (row) => STATES[row.state] ?? row.state },
    { title: 'Who', cell: who },
    { title: 'Tags', cell: tags }] });
}

function drawTransactions({ transactions }, _, remark) {
  const idle = transactions.filter((row) => row.idle_ms != null);
  remark.textContent = idle.length ? `${count(idle.length)} of ${count(transactions.length)} idle: locks are held, nothing is done` : '';
  return transactions.length === 0 ? empty('No transaction is open at this moment.') : table({ caption: 'Open transactions', rows: transactions, columns: [
    { title: 'Open for', narrow: true, cell: (row) => badge(age(row.age_ms), ms(row.age_ms)) },
    { title: 'Idle for', number: true, narrow: true, cell: (row) => (row.idle_ms == null ? h('span.faint', {}, 'at work') : h('span', { 'data-level': age(row.idle_ms) }, ms(row.idle_ms))) },
    { title: 'Statements', number: true, cell: (row) => count(row.statements) },
    { title: 'Last statement', narrow: true, cell: (row) => (row.last_query_hash ? link('statement', row.last_query_hash, row.last_query_hash, { class: 'mono' }) : '–') },
    { title: 'Who', wide: true, cell: who }] });
}

function who(row) {
  return h('small', {}, [row.application, row.user, row.database].filter(Boolean).join(' · '));
}

function drawSlow({ slow_queries: rows, threshold_ms: threshold, complete_to: at }, _, remark) {
  remark.textContent = `over ${ms(threshold)}, in the last hour`;
  remark.title = exact(at);
  return rows.length === 0 ? empty('Nothing was slow.') : table({ caption: `Executions over ${span(threshold / 1000)}`, rows, columns: executionColumns(true) });
}
