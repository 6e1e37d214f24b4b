// The frame around the pages: which one the address names, the range, the keyboard, asking again.

import { RANGES, choose, filtered, go, href, range, read, same, serves } from './address.js';
import { listen, live } from './api.js';
import { repaint } from './charts.js';
import { mark } from './demo.js';
import { h, replace, say } from './dom.js';
import { exact, time } from './format.js';
import { empty } from './panel.js';
import { isSignedIn, keys, signIn, signOut } from './signin.js';
import { narrow } from './table.js';
import { alerts } from './pages/alerts.js';
import { fleet } from './pages/fleet.js';
import { now } from './pages/now.js';
import { overview } from './pages/overview.js';
import { capacity } from './pages/capacity.js';
import { index, tableOf } from './pages/object.js';
import { indexes, tables } from './pages/server.js';
import { statement } from './pages/statement.js';
import { statements } from './pages/statements.js';

const FLEET = ['fleet', 'Fleet', 'f', fleet];
const NOW = ['now', 'Now', 'n', now];
/** Pages of the navigation: name, title, key behind `g`, what makes it. A fleet's own page is about all of it, and has no now. */
const PAGES = [...(serves ? [FLEET] : []),
  ['overview', 'Overview', 'o', overview], ['statements', 'Statements', 's', statements], ...(serves ? [] : [NOW]), ['alerts', 'Alerts', 'a', alerts],
  ['indexes', 'Indexes', 'i', indexes], ['tables', 'Tables', 't', tables], ['capacity', 'Capacity', 'c', capacity], ...(serves ? [] : [FLEET])];
/** Pages of one thing, with the page that lists it. */
const DETAILS = { statement: [statement, 'statements'], index: [index, 'indexes'], table: [tableOf, 'tables'] };
const MAKERS = Object.fromEntries([...PAGES.map(([name, , , make]) => [name, make]), ...Object.entries(DETAILS).map(([name, [make]]) => [name, make])]);
const $ = (id) => document.getElementById(id);

let shown = { name: '', leave: () => {}, refresh: () => {} };

/** Shows what the address says. */
function show() {
  const { page, place } = read();
  const name = [page, ...place].join('/');
  const isNew = name !== shown.name;
  const held = document.activeElement?.dataset?.key;
  shown.leave();
  const leaving = new AbortController();
  const made = MAKERS[page]?.() ?? { title: 'Not here', element: empty('There is no such page.', h('a', { href: href('overview') }, 'To the overview')), refresh: async () => {} };
  document.title = `${made.title} – pgvitals`;
  frame(page);
  mark($('demo'));
  replace($('main'), made.element);
  if (isNew && shown.name) {
    window.scrollTo(0, 0);
    $('main').focus({ preventScroll: true });
  } else if (held) {
    const again = $('main').querySelector(`[data-key="${CSS.escape(held)}"]`);
    again?.focus({ preventScroll: true });
    if (again?.type === 'search') again.setSelectionRange(again.value.length, again.value.length);
  }
  shown = { name, leave: keep(made, leaving), refresh: () => made.refresh(leaving.signal) };
}

/** Asks again and again, and hands on what happens, until it is left. A page that nobody sees does neither; it asks when it is seen again. */
function keep(made, leaving) {
  const every = made.every ?? range().every;
  let timer = 0;
  const round = async () => {
    if (!document.hidden) await made.refresh(leaving.signal);
    if (!leaving.signal.aborted && every) timer = setTimeout(round, every * 1000);
  };
  round();
  for (const [event, handle] of Object.entries(made.events ?? {})) live.addEventListener(event, (news) => { if (!document.hidden) handle(news.detail); }, { signal: leaving.signal });
  return () => {
    clearTimeout(timer);
    leaving.abort();
  };
}

/** Navigation, range and filters, as they are now. */
function frame(page) {
  const current = DETAILS[page]?.[1] ?? page;
  replace($('nav'), h('ul', {}, PAGES.map(([name, title]) => h('li', {}, h('a', { href: href(name), 'aria-current': name === current ? 'page' : null, 'data-key': `nav-${name}` }, title)))));
  $('nav').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const { name, from, to } = range();
  const buttons = Object.entries(RANGES).map(([one, { title }]) => h('button', { type: 'button', 'aria-pressed': String(one === name), 'data-key': `range-${one}`, onclick: () => choose(one) }, title));
  const custom = h('button.custom', { type: 'button', 'aria-pressed': String(name === 'custom'), 'aria-expanded': 'false', 'data-key': 'range-custom', onclick: customRange }, name === 'custom' ? `${time(from)} – ${time(to)}` : 'Custom');
  const { params } = read();
  const filters = filtered().map((one) => h('a.chip', { href: same({ [one]: null }), 'aria-label': `Remove the filter ${one} ${params.get(one)}` }, `${one}: ${params.get(one)} ×`));
  replace($('range'), buttons, custom, filters);
}

function customRange(event) {
  event.currentTarget.setAttribute('aria-expanded', 'true');
  const now = range();
  const [from, to] = now.from ? [now.from, now.to] : [new Date(Date.now() - now.hours * 3.6e6), new Date()];
  const local = (at) => new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const ends = [from, to].map((at, index) => h('input', { type: 'datetime-local', 'aria-label': index ? 'To' : 'From', value: local(at), required: true }));
  const form = h('form.custom', {}, ends, h('button', { type: 'submit' }, 'Show'));
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    const [begin, end] = ends.map((input) => new Date(input.value));
    if (begin < end) choose('custom', begin, end);
    else ends[1].setCustomValidity('The end is before the beginning.');
    ends[1].reportValidity();
  });
  replace($('range'), form);
  ends[0].focus();
}

function foot() {
  const second = live.seconds.at(-1);
  const words = { open: second ? `live, ${time(second.at)}` : serves ? 'connected' : 'live', connecting: 'connecting …', broken: 'no answer; trying again', refused: 'no live figures' };
  document.documentElement.dataset.live = live.state;
  replace($('foot'), h('span', { title: second ? exact(second.at) : '' }, words[live.state]), h('span', {}, Intl.DateTimeFormat().resolvedOptions().timeZone),
    h('a', { href: 'openapi.json' }, 'OpenAPI'), h('a', { href: 'metrics' }, 'Metrics'),
    isSignedIn() ? h('button.quiet', { type: 'button', 'data-key': 'signout', onclick: signOut }, 'Sign out') : null);
}

/** Says that nobody answers, and asks for everything when somebody does again. */
function connection({ detail: { now, before } }) {
  foot();
  const trouble = $('trouble');
  const isBroken = now === 'broken' || (now === 'refused' && before === 'broken' && !trouble.hidden);
  if (isBroken && trouble.hidden) {
    trouble.textContent = `pgvitals has not answered since ${time(live.since)}. What stands here is from before; the page asks again by itself.`;
    say(trouble.textContent);
  } else if (!isBroken && !trouble.hidden) {
    say('pgvitals answers again.');
  }
  trouble.hidden = !isBroken;
  if (now === 'open' && before !== 'connecting') shown.refresh();
}

const theme = {
  isDark: () => (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark',
  name() {
    $('theme').textContent = this.isDark() ? '☀' : '☾';
    $('theme').setAttribute('aria-label', this.isDark() ? 'Change to light' : 'Change to dark');
  },
  change() {
    const chosen = this.isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = chosen;
    try { localStorage.setItem('pgvitals.theme', chosen); } catch { /* Then it lasts as long as the page. */ }
    this.name();
    repaint();
    shown.refresh();
  },
};

/** The first key of two, and until when it waits for the second. */
let began = 0;
const SECOND_KEY_MS = 3000;

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('dialog').open) return;
  if (event.target.matches('input, select, textarea')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const isSecond = Date.now() - began < SECOND_KEY_MS;
  began = 0;
  const page = isSecond && PAGES.find(([, , key]) => key === event.key);
  const chosen = Object.keys(RANGES)[Number(event.key) - 1];
  if (page) go(href(page[0]));
  else if (event.key === 'g') began = Date.now();
  else if (event.key === '?') keys(PAGES);
  else if (event.key === 't') theme.change();
  else if (event.key === '/') search();
  else if (chosen) choose(chosen);
  else return;
  event.preventDefault();
}

function search() {
  if ($('search')) return $('search').focus();
  window.addEventListener('hashchange', () => $('search')?.focus(), { once: true });
  go(href('statements'));
}

window.addEventListener('hashchange', () => (location.hash === '#main' ? $('main').focus() : show()));
window.addEventListener('signin', (event) => signIn(event.detail));
window.addEventListener('keydown', press);
document.addEventListener('visibilitychange', () => { if (!document.hidden) shown.refresh(); });
$('theme').addEventListener('click', () => theme.change());
$('help').addEventListener('click', () => keys(PAGES));
narrow.addEventListener('change', () => shown.refresh());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  theme.name();
  repaint();
  shown.refresh();
});
live.addEventListener('live', foot);
live.addEventListener('state', connection);
theme.name();
foot();
show();
listen();
