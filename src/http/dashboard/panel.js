// A panel: a heading and what belongs to it, with a state for waiting, for nothing, and for what went wrong.

import { h, replace } from './dom.js';
import { href } from './address.js';
import { performance } from './api.js';

let made = 0;

/**
 * A region of the page. `load(signal)` fetches, `draw(answer, body)` returns what to show, or nothing when it has drawn by
 * itself. `refresh` asks again and keeps what is shown until the answer is there.
 */
export function panel({ title, note, classes = '', load, draw, extra }) {
  const id = `panel-${(made += 1)}`;
  const body = h('div.body', {}, waiting());
  const remark = h('span.note', {}, note);
  const head = h('div.head', {}, h('h2', { id }, title), remark, extra);
  const element = h('section.panel', { 'aria-labelledby': id, class: `panel ${classes}` }, head, body);
  let drawn = false;
  const once = async (signal) => {
    try {
      const answer = await load(signal);
      if (signal?.aborted || selecting(body)) return;
      const shown = draw(answer, body, remark);
      if (shown !== undefined) replace(body, shown);
      drawn = true;
    } catch (error) {
      if (error.name === 'AbortError' || signal?.aborted) return;
      if (!error.status && error.status !== 0) console.error(error);
      if (!drawn || error.status !== 0) replace(body, failed(error));
    }
  };
  // What asks while an answer is awaited gets one more round after it, however often it asked.
  let [running, next] = [null, null];
  const refresh = (signal) => {
    if (running) return (next ??= running.then(() => begin(signal)));
    return begin(signal);
  };
  const begin = (signal) => {
    next = null;
    running = once(signal).finally(() => { running = null; });
    return running;
  };
  return { element, body, refresh };
}

/** A panel of one metric. */
export function metricPanel(metric, options) {
  const { asks = {} } = options;
  return panel({ load: (signal) => performance(metric, typeof asks === 'function' ? asks() : asks, signal), ...options });
}

/** What somebody marks to copy it stays. */
function selecting(body) {
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && body.contains(selection.anchorNode);
}

function waiting() {
  return h('p.empty', {}, 'Asking …');
}

/** Nothing to show, and what to do about it. */
export function empty(title, ...advice) {
  return h('div.empty', {}, h('p.what', {}, title), advice.length ? h('p', {}, ...advice) : null);
}

/** What went wrong, in words that help. */
export function failed(error) {
  const title = {
    'bad-parameter': 'This pgvitals can’t tell that',
    'store-unavailable': 'The monitoring tables don’t answer',
    'not-configured': 'A setting is missing',
    'not-collected': 'Nobody has looked at the server yet',
    'unknown-query': 'This statement is not known any more',
    'unknown-object': 'It was not there at the last look',
    unauthorized: 'Please sign in',
  }[error.kind] ?? (error.status === 0 ? 'No answer' : error.title || 'Something went wrong');
  if (error.kind === 'unauthorized') return h('div.empty.failed', {}, h('p.what', {}, title));
  if (error.kind === 'unknown-query') {
    return h('div.empty.failed', { role: 'alert' }, h('p.what', {}, title),
      h('p', {}, 'What was measured of it is older than what is kept, or pgvitals began anew without a store. ', h('a', { href: href('statements') }, 'All statements that are known')));
  }
  const advice = error.kind === 'bad-parameter' && /no value of metric/.test(error.message)
    ? 'Its version, or its configuration, does not know this metric. Set store and monitor.url as docs/config.md says, and update.'
    : error.message;
  return h('div.empty.failed', { role: 'alert' }, h('p.what', {}, title), h('p', {}, advice));
}

/** The page's heading, with what stands beside it. */
export function heading(title, ...beside) {
  return h('div.heading', {}, h('h1', {}, title), ...beside);
}

/** One headline figure. */
export function figure(label, value, detail, level) {
  return h('div.figure', {}, h('dt', {}, label), h('dd', { 'data-level': level }, value, detail ? h('small', {}, detail) : null));
}

/** A level as a dot with a word for those who don't see colours. */
export function badge(level, text = level) {
  return h('span.badge', { 'data-level': level }, text);
}

/** A link that carries range and filters. */
export function link(page, id, text, attributes = {}) {
  return h('a', { href: href(page, id), ...attributes }, text);
}

/** A statement to run, with a button that copies it. */
export function code(text) {
  return text ? h('div.code', {}, h('code', {}, text), copy(text)) : null;
}

const COPIED_MS = 2000;

/** A button that copies a text; it says whether that was done, for other sites' pages and plain HTTP may not. */
export function copy(text) {
  const button = h('button.quiet.copy', { type: 'button', 'aria-label': `Copy ${text.slice(0, 60)}` }, 'copy');
  button.addEventListener('click', async () => {
    const isDone = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    button.textContent = isDone ? 'copied' : 'mark it and press Ctrl+C';
    setTimeout(() => { button.textContent = 'copy'; }, COPIED_MS);
  });
  return button;
}
