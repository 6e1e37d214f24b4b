// Alerts: open ones first; who sees to one acknowledges it, who wants quiet gets it until a time that all see.

import { h, say } from '../dom.js';
import { range } from '../address.js';
import { performance, post } from '../api.js';
import { ask, choices, close, field } from '../dialog.js';
import { ago, count, exact, minute, span, time } from '../format.js';
import { badge, empty, heading, link, panel } from '../panel.js';

const HOUR_MIN = 60;
const DAY_MIN = 24 * HOUR_MIN;
const SILENCES = [[String(HOUR_MIN), '1 hour'], [String(8 * HOUR_MIN), '8 hours'], [String(DAY_MIN), '1 day'], [String(7 * DAY_MIN), '7 days']];
const NAME = 'pgvitals.name';

/** The page. */
export function alerts() {
  const list = panel({
    title: 'Alerts', classes: 'bare', load: (signal) => performance('alerts', { limit: 200 }, signal),
    draw: ({ alerts: rows }) => {
      const [open, past] = [rows.filter((one) => !one.resolved_at), rows.filter((one) => one.resolved_at)];
      return [
        group('Open', open, () => empty('No open alerts.', 'Each condition that alerts can see is below its threshold.'), list),
        group('Past', past, () => empty(`None ended in ${range().says}.`, 'A longer time above shows older ones.'), list),
      ];
    },
  });
  return { title: 'Alerts', element: h('div.page', {}, heading('Alerts', h('p.says', {}, `open at some time in ${range().says}`)), list.element), refresh: list.refresh, events: { alert: () => list.refresh() } };
}

function group(title, rows, none, list) {
  const critical = rows.filter((one) => one.severity === 'critical').length;
  const remark = rows.length ? `${count(rows.length)}${critical && title === 'Open' ? `, ${count(critical)} critical` : ''}` : '';
  return h('section.panel', { 'aria-label': `${title} alerts` }, h('div.head', {}, h('h2', {}, title), h('span.note', {}, remark)),
    h('div.body', {}, rows.length === 0 ? none() : h('ul.alerts', {}, rows.map((one) => item(one, list)))));
}

function item(one, list) {
  const lasted = one.resolved_at ? span((new Date(one.resolved_at) - new Date(one.opened_at)) / 1000) : null;
  const since = lasted == null ? `since ${time(one.opened_at)} (${ago(one.opened_at)})` : `${time(one.opened_at)}, over after ${lasted}`;
  return h('li', { 'data-level': one.severity, class: one.silenced_until ? 'quieted' : null, 'data-key': `alert-${one.id}`, tabindex: '-1' },
    badge(one.severity),
    h('div.of', {}, h('h3', {}, one.message),
      h('p.facts', {}, h('span', {}, one.kind.replaceAll('_', ' ')), h('span', {}, one.subject), h('span', { title: exact(one.opened_at) }, since), h('span', {}, `seen ${one.count === 1 ? 'once' : `${count(one.count)} times`}`)),
      known(one)),
    h('div.acts', {}, one.query_hash ? link('statement', one.query_hash, 'Statement') : null, one.resolved_at ? null : acts(one, list)));
}

/** Who said what about it. */
function known(one) {
  if (!one.acknowledged && !one.silenced_until) return null;
  return h('p.facts', {}, one.acknowledged ? h('span.told', {}, 'acknowledged by ', h('b', {}, one.acknowledged)) : null,
    one.silenced_until ? h('span.told', { title: exact(one.silenced_until) }, 'silent until ', h('b', {}, minute(one.silenced_until)), ` (${one.silenced_by})`) : null);
}

function acts(one, list) {
  const button = (key, text, onclick) => h('button', { type: 'button', 'data-key': `${key}-${one.id}`, 'aria-label': `${text}: ${one.message}`, onclick }, text);
  return [one.acknowledged ? null : button('ack', 'Acknowledge', () => acknowledge(one, list)), button('silence', one.silenced_until ? 'Silence longer' : 'Silence', () => silence(one, list))];
}

function acknowledge(one, list) {
  const name = nameField();
  ask('ack', {
    title: 'Acknowledge', verb: 'Acknowledge', text: one.message,
    fields: [name.element, h('p.faint', {}, 'It is told again only when it gets worse, and when it is over.')],
    act: () => done(one, list, 'ack', { by: remembered(name) }, () => 'Acknowledged: others see your name.'),
  });
}

function silence(one, list) {
  const name = nameField();
  const minutes = choices('For how long', 'minutes', SILENCES, SILENCES[0][0]);
  const until = h('p.faint', { role: 'status' });
  const show = () => { until.textContent = `Nobody is told of it until ${minute(new Date(Date.now() + minutes.value() * 60_000))}.`; };
  minutes.element.addEventListener('change', show);
  show();
  ask('silence', {
    title: 'Silence', verb: 'Silence', text: one.message, fields: [name.element, minutes.element, until],
    act: () => done(one, list, 'silence', { by: remembered(name), minutes: Number(minutes.value()) }, (after) => `Silent until ${minute(after.silenced_until)}.`),
  });
}

/** Does it; then the list shows it, and the focus is on the alert. */
async function done(one, list, path, body, said) {
  const after = await post(`api/alerts/${one.id}/${path}`, body);
  close();
  say(said(after));
  await list.refresh();
  list.body.querySelector(`[data-key="alert-${one.id}"]`)?.focus({ preventScroll: true });
}

/** The name that others see; kept in this browser. */
function nameField() {
  let name = '';
  try { name = localStorage.getItem(NAME) ?? ''; } catch { /* Then it is typed each time. */ }
  return field('Your name, for others to see', { value: name, required: true, maxlength: '200', autocomplete: 'name', autofocus: name === '' });
}

function remembered({ input }) {
  const name = input.value.trim();
  try { localStorage.setItem(NAME, name); } catch { /* As above. */ }
  return name;
}
