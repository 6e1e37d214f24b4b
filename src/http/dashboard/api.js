// Questions to pgvitals, and the stream of what happens.

import { asked } from './address.js';

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

/** Changes something. */
export function post(path, body, method = 'POST') {
  const headers = { 'content-type': 'application/json' };
  return request(path, { method, headers, body: JSON.stringify(body ?? {}) });
}

/** Seconds that the stream's past holds. */
const SECONDS_KEPT = 300;

/** What happens: `seconds` the last minutes second by second, `slow` and `alert` as events of `listen`. */
export const live = Object.assign(new EventTarget(), { seconds: [], state: 'connecting' });

/** Opens the stream; the browser opens it again when it breaks. */
export function listen() {
  const stream = new EventSource('api/events');
  const tell = (name, detail) => live.dispatchEvent(new CustomEvent(name, { detail }));
  const state = (now) => {
    live.state = now;
    tell('state', now);
  };
  stream.addEventListener('open', () => state('open'));
  stream.addEventListener('error', () => state('broken'));
  stream.addEventListener('live', (event) => {
    const second = JSON.parse(event.data);
    second.time = new Date(second.at).getTime() / 1000;
    live.seconds.push(second);
    if (live.seconds.length > SECONDS_KEPT) live.seconds.shift();
    tell('live', second);
  });
  for (const name of ['slow', 'alert']) stream.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  return stream;
}
