// How something grows: what was as a line, what comes as a dashed one, the limit across.

import { h, svg } from './dom.js';
import { timeChart } from './charts.js';

const DAY_S = 86_400;
/** A forecast goes as far as the past, within these days; to the limit where that is met not much later. */
const AHEAD_DAYS = [7, 60];
const MET_WITHIN = 3;
/** A limit that lies further off would press everything to the ground. */
const LIMIT_SHOWN = 4;

/**
 * Of a figure that was `past`, pairs of seconds and value, is `now` at `at` and grows `perDay`: lists of equal length for a chart, and
 * the times of its ends. `limit` is left out where it is far away.
 */
export function course({ past, now, at, perDay, limit, fullInDays }) {
  const days = [...past.filter(([time]) => time < at), [at, now]];
  const span = (at - days[0][0]) / DAY_S;
  const most = Math.min(AHEAD_DAYS[1], Math.max(AHEAD_DAYS[0], span));
  const isMet = fullInDays != null && fullInDays <= MET_WITHIN * most;
  const ahead = perDay == null ? 0 : isMet ? Math.max(1, fullInDays) : most;
  const end = isMet ? limit : Math.max(0, now + (perDay ?? 0) * ahead);
  const top = Math.max(now, end, ...days.map(([, value]) => value));
  const isLimited = limit != null && limit <= LIMIT_SHOWN * top;
  const later = ahead ? [[at + ahead * DAY_S, end], ...(isMet ? [[at + ahead * 1.1 * DAY_S, null]] : [])] : [];
  const x = [...days, ...later].map(([time]) => time);
  return {
    x,
    past: x.map((_, index) => days[index]?.[1] ?? null),
    forecast: x.map((_, index) => (index < days.length - 1 || !ahead ? null : index === days.length - 1 ? now : later[index - days.length][1])),
    limit: isLimited ? limit : null,
    ends: [x[0], Math.max(x.at(-1), x[0] + 1)],
  };
}

/** The course of a row of `capacity` with `series`, as it was at `complete_to`; null of one that was seen for less than two days. */
export function courseOf(row, completeTo) {
  const at = new Date(completeTo).getTime() / 1000;
  // The most of a day was so at its end at the latest.
  const past = row.series?.at.map((day, index) => [new Date(day).getTime() / 1000 + DAY_S, row.series.value[index]]) ?? [];
  if (past.length < 2) return null;
  return course({ past, now: row.now, at, perDay: row.growth_per_day, limit: row.limit, fullInDays: row.full_in_days });
}

/** A chart of courses, in a host of its own; `limited` ones have a line for their limit. */
export function courseChart({ title, value, binary, still, height, limited = false }) {
  const host = h('div');
  const lines = [{ label: 'So far', colour: 'accent', fill: true, width: 2 }, { label: 'Forecast', colour: 'accent', width: 2, dash: [6, 5] }, { label: 'Limit', colour: 'critical', width: 1.5, dash: [2, 3] }];
  const chart = timeChart(host, { title, value, binary, still, height, series: limited ? lines : lines.slice(0, 2) });
  return { host, show: ({ x, past, forecast, limit, ends }) => chart.update(x, [past, forecast, x.map(() => limit)].slice(0, chart.count), ends) };
}

/** The same small, without axes. */
export function miniCourse({ x, past, forecast, limit, ends: [from, to] }, label, [width, height] = [132, 26]) {
  const top = Math.max(1e-9, ...past.map((y) => y ?? 0), ...forecast.map((y) => y ?? 0), limit ?? 0);
  const place = (index, y) => `${(((x[index] - from) / (to - from)) * (width - 4) + 2).toFixed(1)} ${(height - 3 - (y / top) * (height - 6)).toFixed(1)}`;
  const line = (ys) => ys.map((y, index) => (y == null ? '' : `${ys[index - 1] == null ? 'M' : 'L'}${place(index, y)}`)).join('');
  return svg('svg.spark', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': label },
    limit == null ? null : svg('path.limit', { d: `M${place(0, limit)}L${place(x.length - 1, limit)}` }),
    svg('path', { d: line(past) }), svg('path.forecast', { d: line(forecast) }));
}
