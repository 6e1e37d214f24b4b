// What stands out, in sentences, from figures alone. Each says its figures, so that a reader can judge.

import { bytes, count, ms, percent, rate, some, sqlstate } from './format.js';

/** Fewer executions say little. */
const CALLS_MIN = 5;
const SHARE_LARGE = 25;
const ERRORS_LARGE = 5;
/** So many failing statements are told of one by one. */
const FAILING_TOLD = 3;
const IDLE_LARGE = 30;
const STALL_LARGE = 30;
/** A statement with so large a part of all calls is one that a loop sends. */
const CHATTY_PERCENT = 25;
const CHATTY_MEAN_MS = 2;
const CHATTY_PER_SECOND = 10;

const ORDER = ['critical', 'alert', 'warning', 'notice'];

/**
 * Findings, worst first: `{ level, title, detail, page, id, changes, query }`. `summary`, `queries` and `open`, the alerts, are answers of
 * the API; `codes` maps a statement's hash to its errors by SQLSTATE, where they are known.
 */
export function findings(summary, queries, codes = new Map(), open = []) {
  const data = queries.filter((one) => one.class === 'data');
  const seconds = length(summary.window);
  const found = [...alerts(summary, open), ...slow(data), ...failing(data, codes), ...idle(summary), ...chatty(data, seconds),
    ...clients(data), ...server(summary, open), ...unseen(summary)];
  return found.sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level) || b.weight - a.weight);
}

/** Seconds of a window. */
export function length(window) {
  return Math.max(1, (new Date(window.to) - new Date(window.from)) / 1000);
}

function of(statement, level, weight, title, detail) {
  return { level, weight, title, detail, page: 'statement', id: statement.query_hash, query: statement.query };
}

/** Alerts of which nothing else here tells as much: in words, and where more is shown. So many of them are told one by one. */
const TOLD_ALONE = {
  regression: ['Slower than before', 'alerts'], error_rate: ['Calls fail', 'alerts'], high_bloat: ['A table is bloated', 'tables'], disk_forecast: ['The disk fills up', 'capacity'],
  sequence_exhaustion: ['A sequence runs out', 'capacity'], wraparound: ['Transaction ids run out', 'capacity'], connection_saturation: ['Connections run out', 'capacity'],
  replication_slot: ['A replication slot keeps WAL', 'alerts'], invalid_index: ['An index is invalid', 'indexes'], upstream_down: ['A server is down', 'alerts'], store_down: ['The store is down', 'alerts'] };
const ALERTS_TOLD = 6;

function* alerts({ alerts: counts }, open) {
  const [worst] = open;
  for (const one of open.filter((alert) => TOLD_ALONE[alert.kind]).slice(0, ALERTS_TOLD)) {
    const [title, page] = TOLD_ALONE[one.kind];
    yield { level: one.severity, weight: 1e8, title, detail: one.message.replace(/;?$/, '.'), page: one.query_hash ? 'statement' : page, id: one.query_hash ?? '' };
  }
  if (counts?.open) {
    yield { level: counts.critical ? 'critical' : 'alert', weight: 1e9, title: counts.open === 1 ? 'An alert is open' : `${count(counts.open)} alerts are open`,
      detail: [counts.critical ? `${count(counts.critical)} critical.` : 'None is critical.', worst && `${counts.open === 1 ? '' : 'The worst: '}${worst.message}`].filter(Boolean).join(' '), page: 'alerts' };
  }
}

function* slow(data) {
  for (const one of data) {
    const isSlow = one.calls >= CALLS_MIN && (one.level === 'alert' || one.level === 'critical');
    const share = one.share_percent >= 1 ? ` It takes ${percent(one.share_percent)} of all statement time.` : '';
    if (isSlow) {
      yield of(one, one.level, one.total_ms, 'Slow statement', `5 % of its calls take ${ms(one.p95_ms)} or longer; half of them up to ${ms(one.p50_ms)}.${share}`);
    } else if (one.share_percent >= SHARE_LARGE && one.calls >= CALLS_MIN) {
      yield of(one, 'warning', one.total_ms, 'One statement takes the time',
        `${percent(one.share_percent)} of all statement time: ${count(one.calls)} calls of ${ms(one.mean_ms)} on average.`);
    }
  }
}

/** Part of its calls that failed, in percent. */
function failed(one) {
  return (100 * one.errors) / Math.max(1, one.calls);
}

function* failing(data, codes) {
  const all = data.filter((one) => one.errors >= CALLS_MIN && failed(one) >= ERRORS_LARGE).sort((a, b) => b.errors - a.errors);
  const rest = all.slice(FAILING_TOLD);
  if (rest.length) {
    const errors = rest.reduce((sum, one) => sum + one.errors, 0);
    yield { level: 'warning', weight: errors, title: `${some(rest.length, 'more statement')} ${rest.length === 1 ? 'fails' : 'fail'}`, page: 'statements', changes: { sort: 'errors' }, detail: `${count(errors)} of their calls; sorted by errors they stand first.` };
  }
  for (const one of all.slice(0, FAILING_TOLD)) {
    const part = failed(one);
    const known = Object.entries(codes.get(one.query_hash) ?? {}).slice(0, 2).map(([code]) => sqlstate(code)).join(', ');
    const why = known ? `, with ${known}` : '';
    const title = part >= 99.5 ? 'Statement always fails' : 'Statement fails often';
    yield of(one, part >= 50 ? 'alert' : 'warning', one.errors, title, `${count(one.errors)} of ${count(one.calls)} calls fail (${percent(part)})${why}.`);
  }
}

function* idle({ transactions }) {
  const whole = (transactions.mean_ms ?? 0) * transactions.count;
  const part = whole > 0 ? (100 * transactions.idle_in_transaction_ms) / whole : 0;
  if (part < IDLE_LARGE || transactions.count < CALLS_MIN) return;
  yield { level: 'warning', weight: transactions.idle_in_transaction_ms, title: 'Transactions wait for their application', page: 'now',
    detail: `${percent(Math.min(100, part))} of the time of ${count(transactions.count)} transactions is idle in transaction: locks are held while the application does something else.` };
}

function* chatty(data, seconds) {
  const all = data.reduce((sum, one) => sum + one.calls, 0);
  for (const one of data) {
    const part = (100 * one.calls) / Math.max(1, all);
    const often = one.calls / seconds;
    if (part < CHATTY_PERCENT || often < CHATTY_PER_SECOND || (one.mean_ms ?? 0) > CHATTY_MEAN_MS) continue;
    yield of(one, 'notice', one.calls, 'Many small calls', `${percent(part)} of all calls, ${rate(often)} each second, ${ms(one.mean_ms)} each. If a loop sends them (N+1), one statement for all rows saves the round trips.`);
  }
}

function* clients(data) {
  for (const one of data) {
    const part = (100 * one.client_stall_ms) / Math.max(1, one.total_ms);
    if (one.calls >= CALLS_MIN && one.total_ms > 1000 && part >= STALL_LARGE) {
      yield of(one, 'notice', one.client_stall_ms, 'The client reads slowly', `${percent(part)} of the statement’s time is waiting for the client to take rows, not for the database.`);
    }
  }
}

function* server({ bloat, indexes, connections }, open) {
  if (connections?.failed > 0) {
    yield { level: 'warning', weight: connections.failed, title: 'Connections fail', page: 'overview', detail: `${count(connections.failed)} of ${count(connections.opened + connections.failed)} connections could not be opened.` };
  }
  if (bloat?.tables_over_threshold > 0 && bloat.wasted_bytes >= 10 * 1024 * 1024 && !open.some((alert) => alert.kind === 'high_bloat')) {
    yield { level: 'warning', weight: 1, title: 'Bloated tables', page: 'tables', detail: `${some(bloat.tables_over_threshold, 'table')} over the threshold; in all tables and indexes ${bytes(bloat.wasted_bytes)} could be free.` };
  }
  if (indexes?.unused > 0) {
    yield { level: 'notice', weight: 1, title: 'Unused indexes', page: 'indexes', detail: `${some(indexes.unused, 'index', 'indexes')} that nobody used, ${bytes(indexes.unused_bytes)} in all.` };
  }
}

function* unseen({ unmeasured, self: own }) {
  const missed = Object.entries(unmeasured ?? {}).filter(([, times]) => times > 0);
  if (missed.length) {
    yield { level: 'notice', weight: 0, title: 'Not everything is measured', page: 'fleet', detail: `${missed.map(([reason, times]) => `${reason.replaceAll('_', ' ')} ${count(times)}`).join(', ')} since the start.` };
  }
  if (own?.dropped > 0) {
    yield { level: 'notice', weight: 0, title: 'Samples were dropped', page: 'fleet', detail: `${count(own.dropped)} since the start; pgvitals_samples_dropped_total in /metrics says why.` };
  }
}
