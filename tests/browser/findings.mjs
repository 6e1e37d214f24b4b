// What stands out, from figures made up here: each rule says its figures, and says nothing below its threshold.

import assert from 'node:assert/strict';
import { visit, withBrowser } from './browser.mjs';

const WINDOW = { from: '2026-01-31T12:00:00Z', to: '2026-01-31T12:10:00Z' };
const QUIET = { window: WINDOW, transactions: { count: 100, mean_ms: 10, idle_in_transaction_ms: 10 }, connections: { opened: 9, failed: 0 }, unmeasured: { framing: 0 }, self: { dropped: 0 } };
const FAST = { query_hash: 'a', query: 'select 1', class: 'data', calls: 100, errors: 0, total_ms: 100, mean_ms: 1, p50_ms: 1, p95_ms: 2, level: 'good', share_percent: 5, client_stall_ms: 0 };
/** Of the same statement, others: without them it would have all calls. */
const OTHERS = ['b', 'c', 'd'].map((query_hash) => ({ ...FAST, query_hash }));

/** What is changed in the summary, in the statement; titles that must come of it, and words in the first one's detail. */
const CASES = [
  [{}, {}, []],
  [{}, { level: 'critical', p95_ms: 1510, p50_ms: 800 }, ['Slow statement'], /5 % of its calls take 1\.51 s or longer; half of them up to 800 ms/],
  [{}, { level: 'warning', p95_ms: 400 }, []],
  [{}, { level: 'critical', calls: 4 }, []],
  [{}, { level: 'critical', class: 'transaction' }, []],
  [{}, { share_percent: 25 }, ['One statement takes the time'], /^25 % of all statement time: 100 calls of 1\.00 ms/],
  [{}, { errors: 100 }, ['Statement always fails'], /^100 of 100 calls fail \(100 %\), with 23505 unique violation\.$/],
  [{}, { errors: 5 }, ['Statement fails often'], /^5 of 100 calls fail/],
  [{}, { errors: 4 }, []],
  [{}, { calls: 1000, errors: 40 }, []],
  [{ transactions: { count: 100, mean_ms: 10, idle_in_transaction_ms: 300 } }, {}, ['Transactions wait for their application'], /^30 % of the time of 100 transactions/],
  [{ transactions: { count: 100, mean_ms: 10, idle_in_transaction_ms: 299 } }, {}, []],
  [{ transactions: { count: 0, mean_ms: null, idle_in_transaction_ms: 0 } }, {}, []],
  [{}, { calls: 60_000 }, ['Many small calls'], /100 each second, 1\.00 ms each/],
  [{}, { total_ms: 2000, client_stall_ms: 600 }, ['The client reads slowly'], /^30 % of the statement/],
  [{ connections: { opened: 8, failed: 2 } }, {}, ['Connections fail'], /^2 of 10 connections/],
  [{ unmeasured: { framing: 3, panic: 0 } }, {}, ['Not everything is measured'], /^framing 3 since the start/],
  [{ self: { dropped: 7 } }, {}, ['Samples were dropped'], /^7 since the start/],
  [{ alerts: { open: 2, critical: 1 } }, {}, ['2 alerts are open'], /^1 critical/],
  [{ indexes: { unused: 3, unused_bytes: 1_048_576 } }, {}, ['Unused indexes'], /^3 indexes that nobody used, 1\.00 MiB/],
  [{ bloat: { tables_over_threshold: 1, wasted_bytes: 1000 } }, {}, []],
];

await withBrowser(async (open) => {
  const page = await open({ allowed: [503] });
  await visit(page, '#/overview');
  const found = (summary, queries, codes, open = []) => page.evaluate(async (given) => {
    const { findings } = await import('/assets/findings.js');
    return findings(given.summary, given.queries, new Map(given.codes), given.open);
  }, { summary, queries, codes, open });
  for (const [summary, statement, titles, detail] of CASES) {
    const got = await found({ ...QUIET, ...summary }, [{ ...FAST, ...statement }, ...OTHERS], [['a', { 23505: 99 }]]);
    assert.deepEqual(got.map((one) => one.title), titles, JSON.stringify([summary, statement]));
    if (detail) assert.match(got[0].detail, detail);
  }

  // Alerts: how many, which is the worst; of one that no other rule knows, what it says.
  const alerts = [{ kind: 'regression', severity: 'alert', message: 'UPDATE carts takes twice as long', query_hash: 'b' }, { kind: 'slow_statement', severity: 'alert', message: 'SELECT took 2 s', query_hash: 'c' }];
  const told = await found({ ...QUIET, alerts: { open: 2, critical: 0 } }, [FAST, ...OTHERS], [], alerts);
  assert.deepEqual(told.map((one) => [one.title, one.detail]), [
    ['2 alerts are open', 'None is critical. The worst: UPDATE carts takes twice as long'], ['Slower than before', 'UPDATE carts takes twice as long.']]);

  // Of a bloated table its alert says more than the headline; each leads to where more is shown.
  const bloated = [{ kind: 'high_bloat', severity: 'critical', message: 'public.carts is bloated' }, { kind: 'invalid_index', severity: 'warning', message: 'mend it: REINDEX INDEX a;' }];
  const bloat = { tables_over_threshold: 1, wasted_bytes: 1e9 };
  const without = await found({ ...QUIET, bloat }, OTHERS, []);
  assert.deepEqual(without.map((one) => one.title), ['Bloated tables']);
  const named = await found({ ...QUIET, bloat }, OTHERS, [], bloated);
  assert.deepEqual(named.map((one) => [one.title, one.detail, one.page]), [
    ['A table is bloated', 'public.carts is bloated.', 'tables'], ['An index is invalid', 'mend it: REINDEX INDEX a.', 'indexes']]);

  // The worst first; of many that fail the first three, and how many more there are.
  const failing = Array.from({ length: 5 }, (_, place) => ({ ...FAST, query_hash: `f${place}`, errors: 50 + place }));
  const all = await found(QUIET, [...failing, { ...FAST, level: 'critical' }], []);
  assert.deepEqual(all.map((one) => one.id ?? one.title), ['a', 'f4', 'f3', 'f2', '2 more statements fail']);
  page.done();
});
