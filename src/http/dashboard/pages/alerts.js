// Alerts: open ones first; who knows of one says so, who wants quiet gets it.

import { h, replace, say } from '../dom.js';
import { range } from '../address.js';
import { performance, post } from '../api.js';
import { ago, count, exact, span, time } from '../format.js';
import { badge, empty, heading, link, panel } from '../panel.js';

const SILENCES = [[60, '1 h'], [8 * 60, '8 h'], [24 * 60, '24 h']];
const NAME = 'pgvitals.name';

/** The page. */
export function alerts() {
  const list = panel({
    title: 'Alerts', classes: 'bare', load: (signal) => performance('alerts', { limit: 200 }, signal),
    draw: ({ alerts: rows }) => {
      const [open, past] = [rows.filter((one) => !one.resolved_at), rows.filter((one) => one.resolved_at)];
      return [
        group('Open', open, () => empty('No open alerts.', 'Each condition that alerts can see is below its threshold.'), list),
        group('Past', past, () => empty(`None ended in ${range().says}.`), list),
      ];
    },
  });
  return { title: 'Alerts', element: h('div.page', {}, heading('Alerts', h('p.says', {}, `open in ${range().says}`)), list.element), refresh: list.refresh, events: { alert: () => list.refresh() } };
}

function group(title, rows, none, list) {
  return h('section.panel', { 'aria-label': `${title} alerts` }, h('div.head', {}, h('h2', {}, title), h('span.note', {}, rows.length ? count(rows.length) : '')),
    h('div.body', {}, rows.length === 0 ? none() : h('ul.alerts', {}, rows.map((one) => item(one, list)))));
}

function item(one, list) {
  const ended = one.resolved_at ? `, over after ${span((new Date(one.resolved_at) - new Date(one.opened_at)) / 1000)}` : '';
  return h('li', { 'data-level': one.severity },
    h('div.what', {}, badge(one.severity), h('b', {}, one.message)),
    h('small', { title: exact(one.opened_at) }, `${one.kind.replaceAll('_', ' ')} · ${one.subject} · since ${time(one.opened_at)} (${ago(one.opened_at)})${ended} · seen ${one.count === 1 ? 'once' : `${count(one.count)} times`}`,
      one.acknowledged ? ` · ${one.acknowledged} knows` : ''),
    h('div.acts', {}, one.query_hash ? link('statement', one.query_hash, 'The statement') : null, one.resolved_at ? null : acts(one, list)));
}

function acts(one, list) {
  const act = (path, body, said) => async () => {
    const by = who();
    if (!by) return;
    try {
      await post(`api/alerts/${one.id}/${path}`, { by, ...body });
      say(said);
    } catch (error) {
      say(error.message);
      replace(list.body, empty('That did not work.', error.message));
      return;
    }
    await list.refresh();
  };
  const known = one.acknowledged ? null : h('button', { type: 'button', 'data-key': `ack-${one.id}`, onclick: act('ack', {}, 'Others see that you know.') }, 'I know');
  const silent = SILENCES.map(([minutes, text]) => h('button.quiet', { type: 'button', 'aria-label': `Silence for ${text}: ${one.message}`, onclick: act('silence', { minutes }, `Silent for ${text}.`) }, text));
  return [known, h('span.faint', {}, 'Silence for'), silent];
}

/** The name that others see; asked for once and kept in this browser. */
function who() {
  let name = null;
  try { name = localStorage.getItem(NAME); } catch { /* Then it is asked for each time. */ }
  if (name) return name;
  name = window.prompt('Your name, for others to see who knows:')?.trim();
  if (name) try { localStorage.setItem(NAME, name); } catch { /* As above. */ }
  return name;
}
