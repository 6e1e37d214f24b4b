// Fleet: who measures, how far they have come, what it costs, and what is not seen.

import { h } from '../dom.js';
import { href, serves } from '../address.js';
import { performance } from '../api.js';
import { bytes, count, percent, span, time } from '../format.js';
import { badge, empty, figure, heading, metricPanel, panel } from '../panel.js';
import { table } from '../table.js';

/** Whose alerts are about no server. */
const OWN = 'pgvitals';

/** The page; of `pgvitals serve` its home, with all servers of the store. */
export function fleet() {
  const own = serves ? metricPanel('summary', { title: 'pgvitals serve', asks: { limit: 1 }, draw: drawServe })
    : metricPanel('summary', { title: 'This pgvitals', asks: { limit: 1, instance: 'self' }, draw: drawOwn });
  const all = metricPanel('summary', { title: 'Instances', asks: { limit: 1, instance: 'all' }, draw: drawInstances });
  const coverage = metricPanel('coverage', { title: serves ? 'What pgvitals sees of the servers’ work' : 'What pgvitals sees of the server’s work', draw: drawCoverage });
  const panels = serves ? [servers(), all, own, coverage] : [own, all, coverage];
  return { title: 'Fleet', element: h('div.page', {}, heading('Fleet'), panels.map((one) => one.element)), refresh: (signal) => Promise.all(panels.map((one) => one.refresh(signal))) };
}

/** Every server, with what is wrong there. */
function servers() {
  const load = (signal) => Promise.all([performance('summary', { limit: 1 }, signal), performance('alerts', { limit: 1000 }, signal)]);
  return panel({ title: 'Servers', load, draw: drawServers });
}

function drawServers([{ servers: names }, { alerts }], _, remark) {
  const open = alerts.filter((one) => !one.resolved_at);
  remark.textContent = open.length === 0 ? 'no alert is open' : open.length === 1 ? 'an alert is open' : `${count(open.length)} alerts are open`;
  if (names.length === 0) return empty('Nobody has written to the store yet.', 'Start sidecars with the same --store, and send a statement through one of them.');
  const rows = [...names, ...(open.some((one) => one.server === OWN) ? [OWN] : [])].map((name) => ({ name, open: open.filter((one) => one.server === name) }));
  return table({ caption: 'Servers', rows, columns: [
    { title: 'Server', narrow: true, wide: true, cell: ({ name }) => (name === OWN ? 'pgvitals itself' : h('a', { href: href('overview', '', { server: name }) }, name)) },
    { title: 'Open alerts', narrow: true, cell: ({ name, open: there }) => (there.length ? h('a', { href: href('alerts', '', { server: name }) }, badge(worst(there), count(there.length))) : badge('good', 'none')) }] });
}

function worst(alerts) {
  return ['critical', 'alert', 'warning'].find((severity) => alerts.some((one) => one.severity === severity));
}

function drawServe({ self: own }) {
  return h('dl.figures', {},
    figure('Version', own.version, `up ${span(own.uptime_s)}`),
    figure('Memory', bytes(own.resident_bytes), 'of this process'),
    figure('Store', bytes(own.store_bytes), own.store_bytes == null ? 'not weighed yet' : 'tables and indexes'),
    figure('Partitions', own.partitions_ahead_days == null ? '–' : span(own.partitions_ahead_days * 86_400), 'made ahead'));
}

function drawOwn({ self: own, unmeasured, server, instances }) {
  const missed = Object.entries(unmeasured).filter(([, times]) => times > 0);
  return [
    h('dl.figures', {},
      figure('Version', own.version, `up ${span(own.uptime_s)}`),
      figure('CPU per statement', own.cpu_us_per_query == null ? '–' : `${count(own.cpu_us_per_query)} µs`, 'of the process, since the start'),
      figure('Memory', bytes(own.resident_bytes), `${count(own.series)} series`),
      figure('Behind the store', own.flush_lag_s == null ? 'no store' : span(own.flush_lag_s), own.spool_bytes ? `${bytes(own.spool_bytes)} wait` : ''),
      figure('Dropped', count(own.dropped), own.dropped ? 'samples; /metrics says why' : 'samples', own.dropped ? 'warning' : undefined)),
    h('p', {}, `${instances.names[0] ?? ''} in front of ${server}. `, missed.length ? h('b', {}, `Not measured: ${missed.map(([reason, times]) => `${reason.replaceAll('_', ' ')} ${count(times)}`).join(', ')}.`) : 'Everything that went through was measured.'),
  ];
}

function drawInstances({ instances, complete_to: complete, self: own }, _, remark) {
  const isStored = serves || own.flush_lag_s != null;
  remark.textContent = `figures are complete to ${time(complete)}`;
  if (instances.count === 0) return empty('Nobody has written to the store yet.', 'Instances that share a store are listed here.');
  return table({ caption: 'Instances', rows: instances.names, columns: [
    { title: 'Instance', narrow: true, wide: true, cell: (name) => h('a', { href: href('overview', '', { instance: name }) }, name) },
    { title: 'State', narrow: true, cell: (name) => (instances.lagging.includes(name) ? badge('warning', 'late') : badge('good', isStored ? 'writes' : 'in memory alone')) }] });
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
      { title: 'Application', narrow: true, cell: (row) => row.application },
      { title: 'From', cell: (row) => row.address ?? 'socket' },
      { title: 'Sessions', number: true, narrow: true, cell: (row) => count(row.sessions) }] })] : null,
  ];
}
