// Lines over time, by uPlot. Dragging over a chart shows that time in all panels.

import { h, svg } from './dom.js';
import { choose } from './address.js';

/* global uPlot */

const SYNC = 'pgvitals';
const charts = new Set();

/** A colour of the stylesheet, as it is now: light or dark. */
export function colour(name) {
  const probe = document.getElementById('said');
  probe.style.color = `var(--${name})`;
  const now = getComputedStyle(probe).color;
  probe.style.color = '';
  return now;
}

/** Draws all charts again, in the colours of now. */
export function repaint() {
  for (const chart of charts) if (!chart.host.isConnected) chart.destroy(); else chart.rebuild();
}

const powers = (_, __, min, max) => {
  const splits = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power += 1) splits.push(10 ** power);
  return splits;
};

function logRange(_, min, max) {
  if (!(min > 0) || !(max > 0)) return [0.1, 100];
  return [10 ** Math.floor(Math.log10(min) + 0.01), 10 ** Math.ceil(Math.log10(max) - 0.01 || 1)];
}

/** Marks of sizes in bytes: even in the units that these are shown in. */
const POWERS_OF_TWO = Array.from({ length: 60 }, (_, power) => 2 ** power);

/**
 * A chart in `host`. `series`: `{ label, colour, value(number), fill, bars, width, scale }`; `log` for durations, `binary` for bytes, `still`
 * for what has a time of its own. `update(x, ys, [from, to])` takes seconds and lists of numbers or null, of which there are `count`.
 */
export function timeChart(host, { title, series, value, log = false, height = 190, binary = false, still = false }) {
  let [plot, data, ends] = [null, null, null];
  host.setAttribute('role', 'img');
  host.classList.add('chart');

  const line = (one) => ({
    label: one.label,
    stroke: colour(one.colour),
    width: one.bars ? 0 : one.width ?? 1.5,
    dash: one.dash,
    fill: one.bars ? colour(one.colour) : one.fill ? colour(`${one.colour}-soft`) : undefined,
    paths: one.bars ? uPlot.paths.bars({ size: [0.7, 18, 1] }) : undefined,
    points: { show: (u, i) => u.data[i].filter((y) => y != null).length < 3, size: 5, fill: colour(one.colour) },
    spanGaps: false,
    // Away from the pointer the newest value stands.
    value: (plot, y, index, at) => shown(at == null ? plot.data[index].findLast((known) => known != null) : y, one.value ?? value),
  });

  const options = () => ({
    width: Math.max(200, host.clientWidth),
    height,
    padding: [10, 24, 0, 0],
    cursor: { sync: still ? undefined : { key: SYNC }, drag: { x: !still, y: false, setScale: false }, points: { size: 6 } },
    legend: { live: true, markers: { width: 0, fill: (_, index) => colour(series[index - 1]?.colour ?? 'line') } },
    scales: { x: { time: true, range: () => ends ?? [0, 1] }, y: log ? { distr: 3, range: logRange } : { range: (_, __, max) => [0, (max || 1) * 1.1] } },
    axes: [
      { stroke: colour('ink-3'), grid: { show: false }, ticks: { stroke: colour('line'), size: 4 }, font: axisFont(), size: 28, space: 56, values: times },
      {
        stroke: colour('ink-3'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: axisFont(), size: 62, space: 34,
        splits: log ? powers : undefined, ...(binary ? { incrs: POWERS_OF_TWO } : {}), values: (_, splits) => splits.map((y) => (y == null ? '' : value(y).replace(/\.0+(?=\D|$)/, ''))),
      },
    ],
    series: [{ label: 'Time', value: (_, x) => (x == null ? '' : new Date(x * 1000).toLocaleTimeString('en-GB')) }, ...series.map(line)],
    hooks: { setSelect: [zoom] },
  });

  for (const chart of charts) if (chart.isShown && !chart.host.isConnected) chart.destroy();
  const handle = {
    host,
    count: series.length,
    isShown: false,
    rebuild() {
      plot?.destroy();
      plot = data ? new uPlot(options(), data, host) : null;
    },
    update(x, ys, [from, to]) {
      ends = [from, to];
      data = [x, ...ys];
      handle.isShown ||= host.isConnected;
      host.setAttribute('aria-label', summary(title, series, ys, value));
      if (plot && host.contains(plot.root)) plot.setData(data);
      else handle.rebuild();
    },
    destroy() {
      charts.delete(handle);
      sizes.disconnect();
      plot?.destroy();
    },
  };
  const sizes = new ResizeObserver(() => {
    if (!host.isConnected) return;
    if (plot && Math.abs(plot.width - host.clientWidth) > 1) plot.setSize({ width: host.clientWidth, height });
  });
  sizes.observe(host);
  charts.add(handle);
  return handle;
}

function shown(y, value) {
  return y == null ? '–' : value(y);
}

function axisFont() {
  return `11px ${getComputedStyle(document.body).fontFamily}`;
}

function times(_, splits) {
  const apart = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
  let before = '';
  return splits.map((x) => {
    const at = new Date(x * 1000);
    const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
    const clock = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: apart < 240 ? '2-digit' : undefined });
    if (apart > 4 * 86_400) return day;
    const text = before && day !== before ? day : clock;
    before = day;
    return text;
  });
}

/** At least so many seconds: a click isn't a selection. */
const ZOOM_MIN = 5;

function zoom(plot) {
  const { left, width } = plot.select;
  if (width < 4) return;
  const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  if (to - from >= ZOOM_MIN) choose('custom', new Date(from * 1000), new Date(to * 1000));
}

/** What a chart shows, in a sentence. */
function summary(title, series, ys, value) {
  const parts = series.map((one, index) => {
    const known = (ys[index] ?? []).filter((y) => y != null);
    const show = one.value ?? value;
    return known.length ? `${one.label} last ${show(known.at(-1))}, at most ${show(Math.max(...known))}` : `${one.label} unknown`;
  });
  return `${title}: ${parts.join('; ')}`;
}

/** A small line without axes; `points` may hold nulls, and lines go on over `gap` of them where steps are longer than points. */
export function sparkline(points, label, gap = 0, [width, height] = [96, 22]) {
  const known = points.filter((y) => y != null);
  if (known.length === 0) return h('span.faint', {}, '–');
  const top = Math.max(...known) || 1;
  const x = (index) => (points.length < 2 ? 0 : (index / (points.length - 1)) * (width - 4) + 2);
  const y = (value) => height - 3 - (value / top) * (height - 6);
  let path = '';
  let before = -Infinity;
  points.forEach((value, index) => {
    if (value == null) return;
    const begins = index - before > gap + 1;
    path += `${begins ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}${begins ? 'h.1' : ''}`;
    before = index;
  });
  const last = points.findLastIndex((value) => value != null);
  return svg('svg.spark', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': label },
    svg('path', { d: path }), svg('circle', { cx: x(last), cy: y(points[last]), r: 1.8 }));
}

/** A share as a bar. */
export function bar(percent, level) {
  const width = Math.max(0.5, Math.min(100, percent));
  return svg('svg.bar-share', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true', 'data-level': level },
    svg('rect.track', { width: 100, height: 6 }), svg('rect.value', { width, height: 6 }));
}
