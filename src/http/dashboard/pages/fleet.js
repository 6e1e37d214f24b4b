// Fleet: who measures what, how far each has come, what it costs, and what is not seen.

import { h } from '../dom.js';
import { href, serves } from '../address.js';
import { ago, bytes, count, exact, ms, percent, rate, some, span, time } from '../format.js';
import { badge, empty, figure, heading, metricPanel, panel } from '../panel.js';
import { performance } from '../api.js';
import { table } from '../table.js';

const STATES = { writes: ['good', 'writes'], idle: ['notice', 'idle'], late: ['warning', 'late'], silent: ['notice', 'silent'], memory: ['notice', 'in memory alone'] };
const EVERYBODY = { instance: null, service: null, server: null, database: null, user: null, application: null, limit: 1000 };

/** The page. */
export function fleet() {
  const round = { asked: null, alerts: null };
  const part = (title, draw) => panel({ title, load: () => round.asked, draw });
  const ofServers = panel({ title: 'Servers', load: () => Promise.all([round.asked, round.alerts]), draw: drawServers });
  const headline = panel({ title: 'Headline', classes: 'bare', load: () => round.asked, draw: drawHeadline });
  const asked = [headline, part('What all of pgvitals costs', drawCost), part('Services', drawServices), ofServers, part('Instances', drawInstances)];
  const own = serves ? metricPanel('summary', { title: 'pgvitals serve', asks: { limit: 1 }, draw: drawServe })
    : metricPanel('summary', { title: 'What this pgvitals costs', asks: { ...EVERYBODY, limit: 1, instance: 'self' }, draw: drawOwn });
  const coverage = metricPanel('coverage', { title: `What pgvitals sees of the ${serves ? 'servers’' : 'server’s'} work`, draw: drawCoverage });
  const [, cost, services, servers, instances] = asked.map((one) => one.element);
  return {
    title: 'Fleet',
    element: h('div.page', {}, heading('Fleet', h('p.says', {}, 'Who measures, how far they have come, what it costs')), headline.element, cost,
      h('div.grid', {}, h('div.half.stack', {}, services), h('div.half.stack', {}, servers)), instances, own.element, coverage.element),
    refresh: (signal) => {
      round.asked = performance('fleet', EVERYBODY, signal);
      // Servers are worth showing without their alerts.
      round.alerts = rings(round.asked, signal).catch(() => []);
      return Promise.all([...asked, own, coverage].map((one) => one.refresh(signal)));
    },
  };
}

/** Open alerts of all; of a server that was made up they are told where it is named. */
async function rings(asked, signal) {
  const of = async (server) => (await performance('alerts', { ...EVERYBODY, server }, signal)).alerts.filter((one) => !one.resolved_at);
  const madeUp = asked.then(({ monitored }) => Promise.all(monitored.filter((one) => one.demo).map((one) => of(one.server))));
  return (await Promise.all([of(null), madeUp])).flat(2);
}

const lives = (one) => one.state !== 'silent';
const tells = (one) => one.calls != null;

function drawHeadline({ services, monitored: servers, members: instances }) {
  const living = instances.filter(lives);
  const late = living.filter((one) => one.state === 'late').length;
  const versions = new Set(living.map((one) => one.version));
  const written = living.reduce((sum, one) => sum + (one.rows_per_hour ?? 0), 0);
  return h('dl.figures', {},
    figure('Services', count(services.filter((one) => one.instances > 0).length)),
    figure('Servers', count(servers.length)),
    figure('Instances', count(living.length), late ? `${count(late)} late` : 'none is late', late ? 'warning' : undefined),
    figure('Versions', count(versions.size), [...versions].slice(0, 3).join(', '), versions.size > 1 ? 'warning' : undefined),
    figure('Rows written', `${count(written)}/h`, 'to the store, by all'));
}

/** Processor cores, as a part of one. */
function cores(value) {
  return value == null ? '–' : `${rate(value * 100)} %`;
}

/** CPU time given in microseconds. */
function micros(value) {
  return ms(value == null ? null : value / 1000);
}

function drawCost({ cost, members }, _, remark) {
  const living = members.filter(lives).length;
  const untold = living - cost.instances;
  remark.textContent = untold > 0 ? `${some(untold, 'instance')} of ${count(living)} ${untold === 1 ? 'doesn’t' : 'don’t'} say: an older version` : '';
  if (cost.instances === 0) return empty('Nobody has said yet what it costs.', 'Each instance says it with its batches, from this version on.');
  return h('dl.figures', {},
    figure('CPU per statement', micros(cost.cpu_us_per_query), 'since each one’s start'),
    figure('CPU', cores(cost.cpu_cores), 'of a core, in an hour'),
    figure('Memory', bytes(cost.resident_bytes), `${bytes(cost.resident_bytes == null ? null : cost.resident_bytes / cost.instances)} each`),
    figure('Statements', count(cost.calls), 'counted since then'),
    figure('Dropped', count(cost.dropped), 'samples', cost.dropped ? 'warning' : undefined));
}

function whose(name, value) {
  return h('a', { href: href('overview', '', { instance: null, service: null, server: null, [name]: value, ...(name === 'server' && !serves ? { instance: 'all' } : {}) }) }, value);
}

function drawServices({ services }, _, remark) {
  remark.textContent = services.length ? 'applications' : '';
  if (services.length === 0) return empty('Nobody has written to the store yet.', 'Sidecars that share a store are listed here, by the service that each is told (service).');
  return table({ caption: 'Services', rows: services, columns: [
    { title: 'Service', narrow: true, wide: true, cell: (row) => whose('service', row.service) },
    { title: 'Instances', number: true, narrow: true, cell: (row) => (row.instances ? count(row.instances) : h('span.faint', {}, 'none lives')) },
    { title: 'Servers', cell: (row) => h('small', {}, row.servers.join(', ') || '–') },
    { title: 'Rows/h', number: true, cell: (row) => count(row.rows_per_hour) }] });
}

/** Whose alerts are about no server. */
const OWN = 'pgvitals';

function drawServers([{ monitored: servers }, open], _, remark) {
  remark.textContent = open.length ? `${some(open.length, 'alert')} open` : 'no alert is open';
  const own = open.some((one) => one.server === OWN) ? [{ server: OWN, isOwn: true }] : [];
  if (servers.length === 0) return empty('Nobody has written to the store yet.', 'Start sidecars with the same --store, and send a statement through one of them.');
  return table({ caption: 'Servers', rows: [...servers, ...own], columns: [
    { title: 'Server', narrow: true, wide: true, cell: (row) => (row.isOwn ? 'pgvitals itself' : [whose('server', row.server), row.demo ? h('small', {}, 'made up') : null]) },
    { title: 'Open alerts', narrow: true, cell: (row) => ringing(row.server, open) },
    { title: 'Instances', number: true, cell: (row) => count(row.instances) },
    { title: 'Looked into', cell: (row) => (row.isOwn ? '' : row.looked_at ? h('span', { title: exact(row.looked_at) }, ago(row.looked_at)) : h('span.faint', { title: 'monitor.url names a role that may look into it.' }, 'never')) }] });
}

function ringing(server, open) {
  const there = open.filter((one) => one.server === server);
  const worst = ['critical', 'alert', 'warning'].find((severity) => there.some((one) => one.severity === severity));
  return worst ? h('a', { href: href('alerts', '', { server, instance: null, service: null }) }, badge(worst, count(there.length))) : badge('good', 'none');
}

function drawInstances({ members: instances }, _, remark) {
  const gone = instances.filter((one) => !lives(one)).length;
  remark.textContent = gone ? `${some(gone, 'life', 'lives')} of the last day ended` : '';
  if (instances.length === 0) return empty('Nobody has written to the store yet.', 'Instances that share a store are listed here.');
  return table({ caption: 'Instances', rows: instances, columns: [
    { title: 'Instance', narrow: true, wide: true, cell: (row) => [whose('instance', row.instance), h('small', {}, row.service)] },
    { title: 'State', narrow: true, cell: (row) => badge(...(STATES[row.state] ?? ['notice', row.state])) },
    { title: 'Version', cell: (row) => row.version },
    { title: 'Since', cell: (row) => time(row.started_at), hint: (row) => exact(row.started_at) },
    { title: 'Last batch', number: true, narrow: true, cell: (row) => (row.silent_s == null ? '–' : `${span(row.silent_s)} ago`) },
    { title: 'Complete to', cell: (row) => time(row.written_to) },
    { title: 'CPU/statement', number: true, below: tells, cell: (row) => micros(row.cpu_us_per_query), hint: (row) => (row.calls == null ? 'It doesn’t say.' : `of ${count(row.calls)} statements since its start`) },
    { title: 'Of a core', number: true, below: tells, cell: (row) => cores(row.cpu_cores), hint: () => 'CPU in the hour up to its last batch' },
    { title: 'Memory', number: true, below: tells, cell: (row) => bytes(row.resident_bytes), hint: (row) => (row.series == null ? '' : some(row.series, 'series', 'series')) },
    { title: 'Dropped', number: true, below: (row) => row.dropped > 0, cell: (row) => (row.dropped ? badge('warning', count(row.dropped)) : count(row.dropped)) },
    { title: 'Rows/h', number: true, cell: (row) => count(row.rows_per_hour) },
    { title: 'Servers', cell: (row) => h('small', {}, row.servers.join(', ') || '–') }] });
}

function drawServe({ self: own }) {
  return h('dl.figures', {},
    figure('Version', own.version, `up ${span(own.uptime_s)}`),
    figure('CPU', cores(own.cpu_cores), 'of a core, since its start'),
    figure('Memory', bytes(own.resident_bytes), 'of this process'),
    figure('Store', bytes(own.store_bytes), own.store_bytes == null ? 'not weighed yet' : 'tables and indexes'),
    figure('Partitions', own.partitions_ahead_days == null ? '–' : some(Math.floor(own.partitions_ahead_days), 'day'), 'made ahead'));
}

function drawOwn({ self: own, unmeasured, server, instances }, _, remark) {
  const missed = Object.entries(unmeasured).filter(([, times]) => times > 0);
  remark.textContent = `${instances.names[0] ?? ''} in front of ${server}`;
  const isStored = own.flush_lag_s != null;
  return [
    h('dl.figures', {},
      figure('Version', own.version, `up ${span(own.uptime_s)}`),
      figure('CPU per statement', micros(own.cpu_us_per_query), 'since its start'),
      figure('Memory', bytes(own.resident_bytes), `${count(own.series)} series`),
      isStored ? figure('Behind the store', span(own.flush_lag_s), own.spool_bytes ? `${bytes(own.spool_bytes)} wait` : 'nothing waits', own.flush_lag_s > 120 ? 'warning' : undefined) : figure('Store', 'none', 'memory alone, one hour'),
      isStored ? figure('Written', bytes(own.bytes_written), `${some(own.rows_written, 'row')}, ${ms(own.flush_mean_ms)} a batch`) : null,
      isStored && own.store_bytes != null ? figure('Tables', bytes(own.store_bytes), own.partitions_ahead_days == null ? '' : `partitions for ${some(Math.floor(own.partitions_ahead_days), 'day')} ahead`) : null,
      figure('Dropped', count(own.dropped), own.dropped ? 'samples; /metrics says why' : 'samples', own.dropped ? 'warning' : undefined)),
    h('p', {}, missed.length ? h('b', {}, `Not measured: ${missed.map(([reason, times]) => `${reason.replaceAll('_', ' ')} ${count(times)}`).join(', ')}.`) : 'Everything that went through was measured.'),
  ];
}

function drawCoverage({ by_user: users, around, unknown }, _, remark) {
  remark.textContent = unknown && users.length ? `shares are not known: ${unknown}` : '';
  return [
    users.length === 0 ? empty('Not known yet.', unknown ?? 'It takes two looks at a server with pg_stat_statements.') : table({ caption: 'Share of the server’s calls', rows: users, columns: [
      { title: 'User', narrow: true, wide: true, cell: (row) => [h('b', {}, row.user), h('small', {}, row.database)] },
      { title: 'Seen', number: true, narrow: true, cell: (row) => count(row.seen_calls) },
      { title: 'Server counted', number: true, cell: (row) => count(row.server_calls) },
      { title: 'Share', number: true, narrow: true, cell: (row) => percent(row.share_percent) }] }),
    around.length ? [h('h3', {}, 'Around pgvitals'), table({ caption: 'Sessions around pgvitals', rows: around, columns: [
      { title: 'User', narrow: true, wide: true, cell: (row) => [h('b', {}, row.user), h('small', {}, row.database)] },
      { title: 'Application', narrow: true, cell: (row) => row.application || h('span.faint', {}, 'no name') },
      { title: 'From', cell: (row) => row.address ?? 'socket' },
      { title: 'Sessions', number: true, narrow: true, cell: (row) => count(row.sessions) }] })] : null,
  ];
}
