// How many calls took how long, over time: each column a step, each row a span of durations, darker for more.

import { h } from './dom.js';
import { colour } from './charts.js';
import { count, minute, ms, some } from './format.js';

const ROW = 16;

/** The heat map of a series. Rows that nothing fell into are left out at both ends. */
export function heatMap({ at, heat }) {
  const columns = heat.counts;
  const used = heat.le_ms.map((_, row) => columns.some((column) => column?.[row] > 0));
  const [low, high] = [used.indexOf(true), used.lastIndexOf(true)];
  if (low < 0) return h('p.empty', {}, 'No calls in this time.');
  const rows = high - low + 1;
  const most = Math.max(...columns.flatMap((column) => column ?? [0]));
  const name = (row) => (row === heat.le_ms.length - 1 ? `over ${ms(heat.le_ms[row - 1])}` : `≤ ${ms(heat.le_ms[row])}`);

  const canvas = h('canvas', { height: rows * ROW });
  const tip = h('output.tip', {});
  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth || 600;
    canvas.width = width * scale;
    canvas.height = rows * ROW * scale;
    const paint = canvas.getContext('2d');
    paint.scale(scale, scale);
    paint.fillStyle = colour('accent');
    const cell = width / columns.length;
    columns.forEach((column, x) => column?.slice(low, high + 1).forEach((calls, row) => {
      if (calls === 0) return;
      paint.globalAlpha = 0.12 + 0.88 * (Math.log(calls + 1) / Math.log(most + 1));
      paint.fillRect(x * cell, (rows - 1 - row) * ROW, Math.max(1, cell - (cell > 4 ? 1 : 0)), ROW - 1);
    }));
  };
  canvas.addEventListener('mousemove', (event) => {
    const x = Math.floor((event.offsetX / canvas.clientWidth) * columns.length);
    const row = high - Math.floor(event.offsetY / ROW);
    const calls = columns[x]?.[row];
    tip.textContent = calls == null ? '' : `${minute(at[x])}  ${name(row)}  ${some(calls, 'call')}`;
  });
  canvas.addEventListener('mouseleave', () => { tip.textContent = ''; });
  new ResizeObserver(() => canvas.isConnected && draw()).observe(canvas);

  const labels = [];
  for (let row = high; row >= low; row -= 1) labels.push(h('span', {}, (high - row) % 2 === 0 || rows < 8 ? name(row) : ''));
  const total = columns.reduce((sum, column) => sum + (column ?? []).reduce((a, b) => a + b, 0), 0);
  const label = `Heat map of ${count(total)} calls, most of them ${name(fullest(columns, heat.le_ms.length))}`;
  return h('div.heat', {}, h('div.rows', { 'aria-hidden': 'true' }, labels),
    h('div.cells', {}, h('div', { role: 'img', 'aria-label': label }, canvas),
      h('div.ends', {}, h('span', {}, minute(at[0])), tip, h('span', {}, minute(at.at(-1))))));
}

function fullest(columns, rows) {
  const sums = Array.from({ length: rows }, (_, row) => columns.reduce((sum, column) => sum + (column?.[row] ?? 0), 0));
  return sums.indexOf(Math.max(...sums));
}
