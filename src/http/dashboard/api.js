// Questions to pgvitals, and the stream of what happens.

import { asked, step } from './address.js';

/** An answer other than 2xx, as `application/problem+json` tells it. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `pgvitals answered ${status}`);
    this.status = status;
    this.title = body.title ?? '';
    this.kind = String(body.type ?? '').split(':').pop();
  }
}

async function answer(response) {
  if (response.ok) return response.status === 204 ? null : response.json();
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) window.dispatchEvent(new CustomEvent('signin', { detail: body.detail }));
  throw new Problem(response.status, body);
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { title: 'No answer', detail: 'pgvitals does not answer. Does it run? The page asks again by itself.' });
  }
  return answer(response);
}

/** A metric over the range and the filters of the address. */
export function performance(metric, extra = {}, signal) {
  const wanted = Object.entries({ metric, ...asked(), ...extra }).filter(([, value]) => value != null && value !== '');
  return request(`api/performance?${new URLSearchParams(wanted)}`, { signal });
}

/** A metric with a series: in finer steps where less is known than was asked for, which the first answer tells. */
export async function overTime(metric, extra, signal) {
  const key = new URLSearchParams(asked()).toString();
  const tried = fitted.get(key) ?? step();
  const answer = await performance(metric, { ...extra, step: tried }, signal);
  const { from, to } = answer.window;
  const fitting = step((new Date(to) - new Date(from)) / 3.6e6);
  if (STEPS.indexOf(fitting) >= STEPS.indexOf(tried)) return answer;
  fitted.set(key, fitting);
  setTimeout(() => fitted.delete(key), FITTED_KEPT_MS);
  return performance(metric, { ...extra, step: fitting }, signal);
}

const STEPS = ['minute', 'hour', 'day'];

/** Steps that fitted, by what was asked. */
const fitted = new Map();
const FITTED_KEPT_MS = 300_000;

/** Changes something. */
export function post(path, body, method = 'POST') {
  const headers = { 'content-type': 'application/json' };
  return request(path, { method, headers, body: JSON.stringify(body ?? {}) });
}

/** Seconds that the stream's past holds. */
const SECONDS_KEPT = 300;

/** Without news for so long something was missed. */
const GAP_S = 5;

/**
 * What happens: `seconds` the last minutes second by second, `slow` and `alert` as events of `listen`. `state`: connecting, open, broken
 * (nobody answers), refused (a token is needed); `since` when it became so.
 */
export const live = Object.assign(new EventTarget(), { seconds: [], state: 'connecting', since: new Date() });

/** A stream that was refused is opened again after so long. */
const AGAIN_MS = 5000;

/** Opens the stream; the browser opens it again when it breaks, and this when the browser gives up. */
export function listen() {
  const stream = new EventSource('api/events');
  const tell = (name, detail) => live.dispatchEvent(new CustomEvent(name, { detail }));
  const state = (now) => {
    const before = live.state;
    if (now !== before) live.since = new Date();
    live.state = now;
    tell('state', { now, before });
  };
  stream.addEventListener('open', () => state('open'));
  stream.addEventListener('error', () => {
    const isRefused = stream.readyState === EventSource.CLOSED;
    state(isRefused ? 'refused' : 'broken');
    if (isRefused) setTimeout(listen, AGAIN_MS);
  });
  stream.addEventListener('live', (event) => {
    const second = JSON.parse(event.data);
    second.time = new Date(second.at).getTime() / 1000;
    const last = live.seconds.at(-1)?.time ?? second.time;
    // A line across what was missed would say that something is known of it.
    if (second.time - last > GAP_S) live.seconds.push({ at: second.at, time: second.time - 1, calls: null, errors: null, p50_ms: null, p95_ms: null, p99_ms: null });
    live.seconds.push(second);
    while (live.seconds.length > SECONDS_KEPT) live.seconds.shift();
    tell('live', second);
  });
  for (const name of ['slow', 'alert']) stream.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
}
