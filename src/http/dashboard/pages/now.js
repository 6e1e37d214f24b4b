// Now: statements in flight, open transactions, and what was slow a moment ago.

import { h } from '../dom.js';
import { live, performance } from '../api.js';
import { count, ms, rate, span, time } from '../format.js';
import { badge, empty, figure, heading, link, metricPanel, panel } from '../panel.js';
import { line } from '../sql.js';
import { table } from '../table.js';
import { executionColumns, tags } from './statement.js';

const STATES = { running: 'running', fetching: 'sending rows', waiting_for_client: 'waits for the client' };
const WARN_MS = 1000;
const ALERT_MS = 30_000;

/** The page. */
export function now() {
  const second = h('dl.figures', { 'aria-label': 'The last second' }, figure('Calls', '–', 'waiting for the first second'));
  const inFlight = metricPanel('active', { title: 'In flight', asks: { limit: 100 }, draw: drawActive });
  const slow = panel({ title: 'Slow a moment ago', load: (signal) => performance('slow_queries', { hours: 1, from: null, to: null, limit: 20 }, signal), draw: drawSlow });
  const show = () => drawSecond(second);
  if (live.seconds.length) show();
  return {
    title: 'Now',
    every: 2,
    element: h('div.page', {}, heading('Now', h('p.says', {}, 'every two seconds')), second, inFlight.element, slow.element),
    refresh: (signal) => Promise.all([inFlight.refresh(signal), slow.refresh(signal)]),
    events: { live: show },
  };
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

function drawActive({ statements, transactions }) {
  return [
    statements.length === 0 ? empty('No statement is in flight at this moment.') : table({ caption: 'Statements in flight', rows: statements, columns: [
      { title: 'For', narrow: true, cell: (row) => badge(age(row.age_ms), ms(row.age_ms)) },
      { title: 'Statement', wide: true, narrow: true, cell: (row) => link('statement', row.query_hash, line(row.query), { class: 'cut', 'data-key': row.query_hash }), hint: (row) => row.query },
      { title: 'State', narrow: true, cell: (row) => STATES[row.state] ?? row.state },
      { title: 'Who', cell: who },
      { title: 'Tags', cell: tags }] }),
    h('h3', {}, 'Open transactions'),
    transactions.length === 0 ? empty('No transaction is open at this moment.') : table({ caption: 'Open transactions', rows: transactions, columns: [
      { title: 'Open for', narrow: true, cell: (row) => badge(age(row.age_ms), ms(row.age_ms)) },
      { title: 'Idle for', number: true, narrow: true, cell: (row) => (row.idle_ms == null ? h('span.faint', {}, 'at work') : ms(row.idle_ms)) },
      { title: 'Statements', number: true, cell: (row) => count(row.statements) },
      { title: 'Last statement', narrow: true, cell: (row) => (row.last_query_hash ? link('statement', row.last_query_hash, row.last_query_hash, { class: 'mono' }) : '–') },
      { title: 'Who', wide: true, cell: who }] }),
  ];
}

function who(row) {
  return h('small', {}, [row.application, row.user, row.database].filter(Boolean).join(' · '));
}

function drawSlow({ slow_queries: rows, threshold_ms: threshold }, _, remark) {
  remark.textContent = `over ${ms(threshold)}, in the last hour`;
  return rows.length === 0 ? empty('Nothing was slow.') : table({ caption: `Executions over ${span(threshold / 1000)}`, rows, columns: executionColumns(true) });
}
