// Overview: how it goes, what stands out, where the time goes.

import { h } from '../dom.js';
import { href, range, read, same, serves } from '../address.js';
import { live, overTime, performance } from '../api.js';
import { bar, timeChart } from '../charts.js';
import { findings, length } from '../findings.js';
import { bytes, count, ms, percent, rate, some, time } from '../format.js';
import { badge, code, empty, failed, figure, heading, link, panel } from '../panel.js';
import { rates, seconds } from '../series.js';
import { line } from '../sql.js';

const TOP = 8;
const FINDINGS_MAX = 9;
/** Statements that the findings are made from. */
const JUDGED = 100;
const FAILING_MAX = 3;
const ALERTS_SHOWN = 5;
const ADVICE_SHOWN = 4;
const LISTED = 200;

/** The page: its element, and how its panels ask again. */
export function overview() {
  const figures = h('dl.figures', { 'aria-label': 'Headline' });
  // Three panels show one answer, so that a page left open asks little.
  const round = { asked: null };
  const headline = panel({ title: 'Headline', classes: 'bare', load: () => round.asked, draw: ({ summary }, body) => drawFigures(figures, summary, body) });
  const stands = panel({ title: 'What stands out', classes: 'stands', load: () => round.asked, draw: drawFindings });
  const [latency, traffic, refreshCharts, second] = charts();
  const time = panel({ title: 'Where the time goes', classes: 'half', load: () => round.asked, draw: drawShares });
  const alerts = panel({ title: 'Open alerts', classes: 'half', load: () => round.alerts, draw: drawAlerts });
  const advice = panel({ title: 'What to do', classes: 'whole', load: (signal) => performance('recommendations', { limit: LISTED }, signal), draw: drawAdvice });
  const panels = [headline, stands, time, alerts, advice];
  // The first headline does not wait for what was seen in the server; the advice does, and then it is there.
  let isFirst = true;
  const again = async (signal) => {
    const answer = await round.asked.catch(() => null);
    if (!isFirst || !answer || signal?.aborted) return;
    isFirst = false;
    if (answer.summary.indexes) return;
    round.asked = judged(round.alerts, signal);
    await Promise.all([headline, stands].map((one) => one.refresh(signal)));
  };
  return {
    title: 'Overview',
    element: h('div.page', {}, heading('Overview', h('p.says', {}, `Data statements of ${range().says}`)), headline.element, stands.element,
      h('div.grid', {}, latency.element, traffic.element, time.element, alerts.element, advice.element)),
    refresh: (signal) => {
      round.alerts = performance('alerts', { limit: LISTED }, signal);
      round.asked = judged(round.alerts, signal);
      return Promise.all([...panels.map((one) => one.refresh(signal)), refreshCharts(signal)]).then(() => again(signal));
    },
    events: { live: second },
  };
}

function drawFigures(figures, answer, body) {
  const { totals, connections, window } = answer;
  const failing = (100 * totals.errors) / Math.max(1, totals.calls);
  const slow = totals.levels.alert + totals.levels.critical;
  figures.replaceChildren(
    figure('Calls', `${rate(totals.calls / length(window))}/s`, `${count(totals.calls)} in all`),
    figure('P50', ms(totals.p50_ms), `mean ${ms(totals.mean_ms)}`),
    figure('P95', ms(totals.p95_ms), '5 % take longer'),
    figure('P99', ms(totals.p99_ms), `longest ${ms(totals.max_ms)}`),
    figure('Errors', percent(failing), `${count(totals.errors)} calls`, failing >= 5 ? 'alert' : failing >= 1 ? 'warning' : undefined),
    figure('Over 500 ms', count(slow), `${count(totals.levels.critical)} over 1 s`, totals.levels.critical ? 'critical' : slow ? 'alert' : undefined),
    figure('Connections', count(connections.open), connections.failed ? `${count(connections.failed)} failed` : `${count(connections.opened)} opened`),
  );
  body.replaceChildren(figures);
}

/** Everything that findings are made from. */
async function judged(listed, signal) {
  // The rest is worth showing without alerts.
  const open = listed.then(opened, () => []);
  const [summary, { queries }] = await Promise.all([performance('summary', { limit: 1 }, signal), performance('queries', { limit: JUDGED }, signal)]);
  const worst = queries.filter((one) => one.errors > 0).sort((a, b) => b.errors - a.errors).slice(0, FAILING_MAX);
  const codes = new Map(await Promise.all(worst.map(async ({ query_hash: hash }) => [hash, await codesOf(hash, signal)])));
  return { summary, queries, found: findings(summary, queries, codes, await open) };
}

function opened({ alerts }) {
  return alerts.filter((one) => !one.resolved_at);
}

/** SQLSTATEs change seldom: each statement's are asked for once a minute. */
const known = new Map();
const CODES_KEPT_MS = 60_000;

async function codesOf(hash, signal) {
  if (!known.has(hash)) {
    const answer = await performance('query', { hash, step: 'day' }, signal).catch(() => null);
    if (!answer) return {};
    known.set(hash, answer.errors_by_code);
    setTimeout(() => known.delete(hash), CODES_KEPT_MS);
  }
  return known.get(hash);
}

function drawFindings({ summary, found }, _, remark) {
  remark.textContent = found.length > FINDINGS_MAX ? `${FINDINGS_MAX} of ${found.length}` : '';
  if (summary.totals.calls === 0) {
    return empty('No statements in this time.', 'Point your application at pgvitals: host and port in DATABASE_URL, nothing else. Or choose a longer time above.');
  }
  if (found.length === 0) return empty('Nothing stands out.', 'No slow, failing or chatty statements, no transactions left open.');
  return h('ol.findings', {}, found.slice(0, FINDINGS_MAX).map((one) => h('li', { 'data-level': one.level },
    h('div.what', {}, badge(one.level), h('a.title', { href: href(one.page, one.id, one.changes) }, one.title), one.query ? h('div.cut', {}, line(one.query)) : null),
    h('p', {}, one.detail))));
}

/** Two charts from one answer, and each second's news while the range is live. */
function charts() {
  const [hosts, minutes] = [[h('div'), h('div')], { of: null }];
  const latency = panel({ title: 'Latency', note: 'log scale', classes: 'half', load: null, draw: null });
  const traffic = panel({ title: 'Throughput and errors', note: 'per second', classes: 'half', load: null, draw: null });
  const lines = [
    timeChart(hosts[0], { title: 'Latency', log: true, value: ms, series: [
      { label: 'P50', colour: 'line-1' }, { label: 'P95', colour: 'line-2', width: 2 }, { label: 'P99', colour: 'line-3' }] }),
    timeChart(hosts[1], { title: 'Throughput', value: rate, series: [
      { label: 'Calls/s', colour: 'accent', fill: true }, { label: 'Errors/s', colour: 'critical', fill: true }] }),
  ];
  const show = (data) => {
    [latency, traffic].forEach((one, index) => { if (!one.body.contains(hosts[index])) one.body.replaceChildren(hosts[index]); });
    lines[0].update(data.x, [data.p50, data.p95, data.p99], data.ends);
    lines[1].update(data.x, [data.calls, data.errors], data.ends);
  };
  const isLive = () => range().name === 'live' && !serves;
  const second = () => { if (isLive() && !document.hidden) show(seconds(live.seconds, minutes.of)); };
  const refresh = async (signal) => {
    try {
      const answer = await overTime('timeline', {}, signal);
      if (signal?.aborted) return;
      minutes.of = rates(answer);
      if (isLive()) second();
      else show(minutes.of);
    } catch (error) {
      if (error.name !== 'AbortError' && !signal?.aborted) [latency, traffic].forEach((one) => one.body.replaceChildren(failed(error)));
    }
  };
  return [latency, traffic, refresh, second];
}

function drawShares({ queries }) {
  if (queries.length === 0) return empty('No statements in this time.');
  return h('ol.shares', {}, queries.slice(0, TOP).map((one) => h('li', {},
    h('span.percent', {}, percent(one.share_percent)),
    h('div.of', {}, link('statement', one.query_hash, line(one.query), { class: 'cut' }), bar(one.share_percent, one.level),
      h('small', {}, `${some(one.calls, 'call')} · P95 `, h('b', { 'data-level': one.level }, ms(one.p95_ms)), one.errors ? ` · ${some(one.errors, 'error')}` : '')))));
}

function drawAlerts(answer, _, remark) {
  const open = opened(answer);
  remark.replaceChildren(open.length > ALERTS_SHOWN ? link('alerts', '', `all ${count(open.length)}`) : '');
  if (open.length === 0) return empty('No open alerts.');
  return h('ul.plain', {}, open.slice(0, ALERTS_SHOWN).map((one) => h('li', {}, badge(one.severity), h('div.of', {}, link('alerts', '', one.message),
    h('p.facts', {}, h('span', {}, one.kind.replaceAll('_', ' ')), h('span', {}, `since ${time(one.opened_at)}`), one.acknowledged ? h('span', {}, `acknowledged by ${one.acknowledged}`) : null, one.silenced_until ? h('span', {}, 'silent') : null)))));
}

function drawAdvice({ recommendations }, _, remark) {
  const isAll = read().params.get('advice') === 'all';
  const more = recommendations.length > ADVICE_SHOWN;
  remark.replaceChildren(more ? h('a', { href: same({ advice: isAll ? null : 'all' }), 'data-key': 'advice' }, isAll ? 'the most important' : `all ${count(recommendations.length)}`) : '');
  if (recommendations.length === 0) return empty('No advice.', 'Nothing was wrong with indexes, bloat and limits when pgvitals last looked, which it does each hour; Indexes and Tables say when that was.');
  return h('ol.plain.advice', {}, recommendations.slice(0, isAll ? LISTED : ADVICE_SHOWN).map((one) => h('li', {}, h('div.of', {},
    h('p', {}, h('b', {}, one.subject), ' ', h('span.faint', {}, one.kind.replaceAll('_', ' ')), saves(one.saves)), h('p', {}, one.evidence), code(one.statement),
    one.risk ? h('p.faint', {}, `Risk: ${one.risk}`) : null))));
}

/** What following it gives. */
function saves({ standstill, bytes: freed, ms_per_day: time_ms }) {
  const words = standstill ? 'averts a standstill' : freed > 0 ? `frees ${bytes(freed)}` : time_ms > 0 ? `saves ${ms(time_ms)} a day` : null;
  return words ? h('span.saves', { 'data-level': standstill ? 'critical' : null }, words) : null;
}
