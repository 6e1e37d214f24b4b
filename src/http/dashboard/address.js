// The address holds what is shown: `#/statement/1f2e…?range=24h&database=shop`. A link shows the same picture.

/** Whether this is `pgvitals serve`: a fleet's figures from the tables alone, nothing of the second that passes. */
export const serves = 'serves' in document.documentElement.dataset;

/** Where the page opens. */
const HOME = serves ? 'fleet' : 'overview';

/** Ranges by name: the hours that are asked for, and how often the page asks again, in seconds. */
export const RANGES = {
  live: { hours: 0.25, every: serves ? 15 : 5, title: serves ? '15 m' : 'Live', says: 'the last 15 minutes' },
  '1h': { hours: 1, every: 15, title: '1 h', says: 'the last hour' },
  '24h': { hours: 24, every: 60, title: '24 h', says: 'the last 24 hours' },
  '7d': { hours: 168, every: 300, title: '7 d', says: 'the last 7 days' },
  '30d': { hours: 720, every: 600, title: '30 d', says: 'the last 30 days' },
};

/** Whom figures are of; kept from page to page, as is the range. */
export const FILTERS = ['database', 'user', 'application', 'server', 'service', 'instance'];
const KEPT = ['range', 'from', 'to', ...FILTERS];
/** Pages that can tell what comes from one route; the others are of all. */
const BY_ROUTE = ['statements', 'statement'];
/** What figures by route are not split by. */
const NOT_BY_ROUTE = ['database', 'user', 'application'];
const DEFAULT_RANGE = '1h';

/** What the address says; `place` has all parts of what `id` begins. */
export function read() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...parts] = path.split('/');
  const place = parts.map(decode);
  return { page: page || HOME, id: place[0] ?? '', place, params: new URLSearchParams(query) };
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** A link to a page with the range and the filters of now; `id` may have several parts. `changes` with null take a parameter away. */
export function href(page, id = '', changes = {}) {
  const params = new URLSearchParams();
  const now = read().params;
  for (const name of [...KEPT, ...(BY_ROUTE.includes(page) ? ['route'] : [])]) if (now.has(name)) params.set(name, now.get(name));
  return write(page, id, params, changes);
}

function write(page, id, params, changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value == null || value === '') params.delete(name);
    else params.set(name, value);
  }
  const query = params.toString();
  const place = [id].flat().filter((part) => part !== '').map((part) => `/${encodeURIComponent(part)}`).join('');
  return `#/${page}${place}${query ? `?${query}` : ''}`;
}

/** Changes to the address that leave one route, or one who runs statements: figures are not of both. */
export function only(name, value) {
  const others = name === 'route' ? NOT_BY_ROUTE : ['route'];
  return { [name]: value, ...(value ? Object.fromEntries(others.map((one) => [one, null])) : {}), cursor: null };
}

/** The filters in force. */
export function filtered() {
  const { page, params } = read();
  return [...FILTERS, ...(BY_ROUTE.includes(page) ? ['route'] : [])].filter((name) => params.get(name));
}

/** The same page with other parameters. */
export function same(changes) {
  const { page, place, params } = read();
  return write(page, place, params, changes);
}

/** Goes there; `quietly` without a step in the history, for what is typed letter by letter. */
export function go(hash, quietly = false) {
  if (!quietly) location.hash = hash;
  else {
    history.replaceState(null, '', hash);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  }
}

/** The range: a name of RANGES, or `custom` with its ends. */
export function range() {
  const { params } = read();
  const [from, to] = [date(params.get('from')), date(params.get('to'))];
  if (from && to && from < to) return { name: 'custom', from, to, hours: (to - from) / 3.6e6, every: 0, says: 'the time chosen' };
  const name = RANGES[params.get('range')] ? params.get('range') : DEFAULT_RANGE;
  return { name, ...RANGES[name] };
}

function date(text) {
  const at = new Date(text ?? NaN);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** Shows a range by name, or from one time to another. */
export function choose(name, from, to) {
  if (name !== 'custom') return go(same({ range: name, from: null, to: null }));
  return go(same({ range: null, from: from.toISOString(), to: to.toISOString() }));
}

/** The range and the filters, as the API wants them. */
export function asked() {
  const { params } = read();
  const now = range();
  const wanted = now.name === 'custom' ? { from: now.from.toISOString(), to: now.to.toISOString() } : { hours: now.hours };
  for (const name of filtered()) wanted[name] = params.get(name);
  return wanted;
}

/** A step that gives a chart some tens to some hundreds of points. */
export function step(hours = range().hours) {
  return hours <= 12 ? 'minute' : hours <= 24 * 14 ? 'hour' : 'day';
}
