// Figures over time, as charts take them.

/** Less of a step makes no rate. */
const SHORT_STEP = 0.2;

/** Of an answer with `series`: seconds, and calls and errors per second. */
export function rates({ series, complete_to, window }) {
  const x = series.at.map((at) => new Date(at).getTime() / 1000);
  const [begin, end] = [new Date(window.from).getTime() / 1000, Math.min(Date.now(), new Date(complete_to).getTime()) / 1000];
  // The step that isn't over has fewer seconds so far; in its first ones they say little. Nor is known how many seconds the first
  // step had, where the window begins with pgvitals itself.
  const seconds = x.map((at) => Math.min(at + series.step_seconds, end) - at);
  const isFirst = x.length > 2 && window.hours * 3600 > end - begin + series.step_seconds;
  const isShort = (index) => (isFirst && index === 0) || (x.length > 1 && seconds[index] < series.step_seconds * SHORT_STEP);
  const per = (values) => values.map((value, index) => (value == null || isShort(index) ? null : value / Math.max(1, seconds[index])));
  return {
    x,
    ends: [begin, Math.max(begin + 60, new Date(window.to).getTime() / 1000)],
    calls: per(series.calls),
    errors: per(series.errors),
    p50: series.p50_ms,
    p95: series.p95_ms,
    p99: series.p99_ms,
  };
}

/** The last minutes second by second, with minutes before them where the stream is younger. */
export function seconds(live, minutes) {
  const [end, span] = [live.at(-1)?.time ?? Date.now() / 1000, 300];
  const first = live[0]?.time ?? end;
  const before = minutes ? minutes.x.map((at, index) => [at, index]).filter(([at]) => at >= end - span && at < first - 60) : [];
  const join = (old, now) => [...before.map(([, index]) => old[index]), ...live.map(now)];
  return {
    x: [...before.map(([at]) => at), ...live.map((second) => second.time)],
    ends: [Math.min(end - 60, Math.max(end - span, before[0]?.[0] ?? first)), end],
    calls: join(minutes?.calls, (second) => second.calls),
    errors: join(minutes?.errors, (second) => second.errors),
    p50: join(minutes?.p50, (second) => second.p50_ms),
    p95: join(minutes?.p95, (second) => second.p95_ms),
    p99: join(minutes?.p99, (second) => second.p99_ms),
  };
}
