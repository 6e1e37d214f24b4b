// One index or one table: what it is, how it came to be so, what is said of it and what to do.

import { h, replace } from '../dom.js';
import { href, range, read } from '../address.js';
import { performance } from '../api.js';
import { timeChart } from '../charts.js';
import { ago, bytes, count, exact, percent, rate, signed, some, time } from '../format.js';
import { course, courseChart } from '../forecast.js';
import { badge, code, copy, empty, figure, heading, panel } from '../panel.js';
import { block } from '../sql.js';
import { table } from '../table.js';
import { VERDICTS, bloatOf, howKnown, placeOf, undo } from './server.js';

/** Somebody looks once an hour at most: a shorter range would show nothing. */
const HOURS_MIN = 168;
const HOURS = 720;
const HOURS_BY_DAY = 24 * 14;

/** The time that is asked for, and how it is said. */
function asking() {
  const now = range();
  const isLong = now.name === 'custom' || now.hours >= HOURS_MIN;
  const hours = isLong ? now.hours : HOURS;
  return { asks: { ...(isLong ? {} : { hours, from: null, to: null }), step: hours <= HOURS_BY_DAY ? 'hour' : 'day' }, says: isLong ? now.says : 'the last 30 days' };
}

/** A page of one `metric`; `draw(answer, body)` fills it. */
function detail(metric, title, all, make) {
  const [database, schema, name] = read().place;
  const { asks, says } = asking();
  const draw = make();
  const whole = panel({ title, classes: 'bare', load: (signal) => performance(metric, { ...asks, database, schema, name }, signal), draw });
  return {
    title: `${name ?? title}`,
    element: h('div.page', {}, heading(name ?? title, h('p.says', {}, `${title} of ${schema} in ${database}, over ${says}. `, h('a', { href: href(all) }, `All ${all}`))), whole.element),
    refresh: whole.refresh,
  };
}

function section(title, classes, ...children) {
  return h('section.panel', { 'aria-label': title, class: `panel ${classes}` }, h('div.head', {}, h('h2', {}, title)), h('div.body', {}, children));
}

/** Ends of the steps in seconds, the last at what is known. */
function ends({ series, complete_to }) {
  const known = new Date(complete_to).getTime() / 1000;
  return series.at.map((at) => Math.min(new Date(at).getTime() / 1000 + series.step_seconds, known));
}

/** Where a step is drawn that has a count, and from when to when the steps are. */
function middles({ series }) {
  const begins = series.at.map((at) => new Date(at).getTime() / 1000);
  return { x: begins.map((at) => at + series.step_seconds / 2), all: [begins[0] ?? 0, (begins.at(-1) ?? 0) + series.step_seconds] };
}

const stepped = ({ step_seconds: length }) => (length >= 86_400 ? 'day' : 'hour');

/** An index. */
export function index() {
  return detail('index', 'Index', 'indexes', () => {
    const hosts = [h('div'), h('div')];
    let charts = null;
    return (answer, body) => {
      replace(body, ofIndex(answer, hosts));
      charts ??= [
        timeChart(hosts[0], { title: 'Use', value: rate, series: [{ label: `Scans/${stepped(answer.series)}`, colour: 'accent', bars: true }] }),
        timeChart(hosts[1], { title: 'Size', value: bytes, binary: true, series: [{ label: 'Size', colour: 'accent', fill: true, width: 2 }] }),
      ];
      const { x, all } = middles(answer);
      charts[0].update(x, [answer.series.scans], all);
      charts[1].update(ends(answer), [answer.series.size_bytes], all);
    };
  });
}

/** What is said of it: advice says more than use where it is used and yet not needed, or no good. */
function verdictOf({ usage, recommendations }) {
  const said = recommendations.find(({ kind }) => VERDICTS[kind]);
  const kind = said && !usage?.statement ? said.kind : usage?.status;
  return [badge(...(VERDICTS[kind] ?? ['notice', kind ?? 'a partition’s'])), said && !usage?.statement ? said.evidence : usage?.reason ?? 'it goes with those of the other partitions'];
}

function ofIndex(answer, hosts) {
  const { usage, bloat } = answer;
  const [verdict, why] = verdictOf(answer);
  return h('div.stack', {},
    h('div.sheet', {}, h('p.verdict', {}, verdict, h('span', {}, why)), h('p.facts', {}, h('span', {}, 'on ', h('a', { href: placeOf({ ...answer, index: null }) }, answer.table)), h('span', {}, `seen ${time(answer.complete_to)}`))),
    h('dl.figures', {},
      figure('Size', bytes(answer.size_bytes), bloat?.bloat_percent == null ? '' : `${percent(bloat.bloat_percent)} of it bloat`),
      figure('Scans', answer.scans_per_day == null ? '–' : `${rate(answer.scans_per_day)}/day`, answer.scans_per_day_before == null ? 'in the last week' : `before ${rate(answer.scans_per_day_before)}/day`),
      figure('Scans counted', count(answer.scans), 'since the counters’ reset'),
      figure('Last used', usage?.last_used ? ago(usage.last_used) : 'not seen', usage?.last_used ? time(usage.last_used) : answer.watched_since ? `since ${time(answer.watched_since)}` : ''),
      figure('Rows by scan', answer.scans ? rate(answer.tuples_read / answer.scans) : '–', 'entries read')),
    h('div.grid', {}, section(`Use, scans by the ${stepped(answer.series)}`, 'half', hosts[0]), section('Size over time', 'half', hosts[1])),
    h('div.grid', {}, advice(answer, usage?.statement || answer.recommendations.length ? '' : 'Nothing: nothing is known against it.'),
      section('Definition', 'half', h('div.cited', {}, block(answer.definition), copy(answer.definition)))));
}

/** What to do, why, and what can go wrong. */
function advice({ recommendations, bloat }, nothing) {
  const more = bloat?.advice && !recommendations.some((one) => one.statement === bloat.statement) ? [{ evidence: bloat.advice, statement: bloat.statement }] : [];
  const all = [...recommendations, ...more];
  return section('What to do', 'half', all.length === 0 ? h('p.faint', {}, nothing) : h('ul.steps', {}, all.map((one) => h('li', {},
    h('p', {}, one.evidence, one.saves?.bytes ? h('span.saves', {}, `frees ${bytes(one.saves.bytes)}`) : null), code(one.statement),
    one.risk ? h('p.risk', {}, h('b', {}, 'Risk: '), one.risk) : null, undo(one.undo)))));
}

/** A table. */
export function tableOf() {
  return detail('table', 'Table', 'tables', () => {
    const size = courseChart({ title: 'Size', value: bytes, binary: true });
    const hosts = [h('div'), h('div')];
    let charts = null;
    return (answer, body) => {
      const { series } = answer;
      replace(body, ofTable(answer, size.host, hosts));
      charts ??= [
        timeChart(hosts[0], { title: 'Dead rows', value: count, series: [{ label: 'Dead rows', colour: 'alert', fill: true, width: 2 }] }),
        timeChart(hosts[1], { title: 'Bloat', value: percent, series: [{ label: 'Bloat', colour: 'alert', width: 2 }] }),
      ];
      const [x, { all }] = [ends(answer), middles(answer)];
      const past = x.map((at, step) => [at, series.size_bytes[step]]).filter(([, value]) => value != null);
      if (past.length) size.show(course({ past, now: answer.size_bytes, at: new Date(answer.complete_to).getTime() / 1000, perDay: answer.growth?.growth_per_day }));
      charts[0].update(x, [series.dead_tuples], all);
      charts[1].update(x, [series.bloat_percent], all);
    };
  });
}

/** The later of two times, with who did it. */
function done(byHand, byDaemon) {
  const last = [byHand, byDaemon].filter(Boolean).sort().at(-1);
  return last ? [ago(last), last === byHand ? 'by hand' : 'by autovacuum', last] : ['never', 'as far as is known', null];
}

function ofTable(answer, size, hosts) {
  const { bloat, growth, options } = answer;
  const [vacuumed, analysed] = [done(answer.last_vacuum, answer.last_autovacuum), done(answer.last_analyze, answer.last_autoanalyze)];
  const grows = growth?.growth_per_day;
  return h('div.stack', {},
    h('div.sheet', {}, h('p.verdict', {}, bloatOf(bloat), h('span', {}, bloat?.wasted_bytes == null ? 'of it is bloat' : `of it is bloat: ${bytes(bloat.wasted_bytes)} could be free`)),
      h('p.facts', {}, [bloat && howKnown(bloat), `seen ${time(answer.complete_to)}`, ...options].filter(Boolean).map((one) => h('span', {}, one)))),
    h('dl.figures', {},
      figure('Size', bytes(answer.size_bytes), `${bytes(answer.index_bytes)} of it indexes`),
      figure('Grows', grows == null ? '–' : `${signed(grows, bytes)}/day`, growth?.low == null ? 'not yet known' : `${signed(growth.low, bytes)} to ${signed(growth.high, bytes)}`),
      figure('Live rows', count(answer.live_tuples), 'estimated'),
      figure('Dead rows', count(answer.dead_tuples), answer.live_tuples ? `${percent((100 * answer.dead_tuples) / (answer.live_tuples + answer.dead_tuples))} of all` : ''),
      figure('Vacuumed', h('span', { title: exact(vacuumed[2]) }, vacuumed[0]), vacuumed[1]),
      figure('Analysed', h('span', { title: exact(analysed[2]) }, analysed[0]), `${some(answer.modified_since_analyze, 'row')} changed since`)),
    section('Size, and how it goes on', 'whole', size),
    h('div.grid', {}, section('Dead rows', 'half', hosts[0]), section('Bloat', 'half', hosts[1])),
    advice(answer, 'Nothing: it is in good order.'),
    section('Its indexes', '', answer.indexes.length === 0 ? empty('It has none.') : table({ caption: 'Indexes', rows: answer.indexes, columns: [
      { title: 'Index', narrow: true, cell: (row) => h('a', { href: placeOf(row) }, h('b', {}, row.index)) },
      { title: 'Verdict', narrow: true, cell: (row) => badge(...(VERDICTS[row.status] ?? ['notice', row.status])) },
      { title: 'Size', number: true, narrow: true, cell: (row) => bytes(row.size_bytes) },
      { title: 'Scans', number: true, cell: (row) => count(row.scans) },
      { title: 'Last used', cell: (row) => (row.last_used ? time(row.last_used) : h('span.faint', {}, 'not seen')), hint: (row) => exact(row.last_used) },
      { title: 'Why', wide: true, below: (row) => row.status !== 'active', cell: (row) => row.reason }] })));
}
