// A month that was made up: each page full of it, and none of them silent about what it is.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const ask = async (metric) => (await fetch(`${BASE}/api/performance?metric=${metric}&server=demo&hours=168`)).json();
const { alerts } = await ask('alerts&limit=100');
const slower = alerts.find((one) => one.kind === 'regression' && !one.resolved_at);
const WHOSE = 'server=demo&range=7d';
const PAGES = {
  overview: ['#/overview', 'times as long as at these hours'], statements: ['#/statements', 'order_items'], statement: [`#/statement/${slower.query_hash}`, 'storefront'],
  alerts: ['#/alerts', 'autovacuum is off'], indexes: ['#/indexes', 'orders_status_created_at_idx'], tables: ['#/tables', 'carts'], capacity: ['#/capacity', 'events_id_seq'],
  index: ['#/index/shop/public/orders_status_created_at_idx', 'never used'], table: ['#/table/shop/public/carts', 'turn it on'] };

/** What to do stands in the row, and where that has no room in a line below it. */
async function advises(page, name) {
  const said = { indexes: /DROP INDEX CONCURRENTLY public\.orders_status_created_at_idx/, tables: /turn it on[\s\S]*autovacuum_enabled = on/ }[name];
  if (!said) return;
  const below = page.locator('tr.below');
  if (page.width > 560) assert.equal(await below.count(), 0);
  else assert.match(await below.first().innerText(), said);
  assert.match(await page.locator('main tbody').first().innerText(), said);
}

await withBrowser(async (open) => {
  for (const [width, scheme] of [[1440, 'light'], [390, 'dark']]) {
    const page = await open({ width, scheme });
    for (const [name, [hash, text]] of Object.entries(PAGES)) {
      await page.goto(`${BASE}/${hash}?${WHOSE}`);
      await page.waitForFunction((wanted) => document.querySelector('main').textContent.includes(wanted), text);
      await settled(page);
      await page.getByRole('note').filter({ hasText: 'Demo data' }).waitFor();
      await fits(page, name);
      await isAccessible(page, `demo ${name}`);
      await picture(page, `demo-${name}`);
      await advises(page, name);
    }
    page.done();
  }
  // A stranger's minute: each thing that is wrong is named on the first page, and its own page says it first.
  const page = await open({ allowed: [400, 404, 503] });
  const main = page.locator('main');
  await visit(page, `#/overview?${WHOSE}`);
  const findings = await main.locator('.findings').innerText();
  for (const words of [/Slower than before\s+SELECT orders order_items in shop takes [\d.]+ times as long/, /A table is bloated\s+public\.carts/, /The disk fills up/, /A sequence runs out\s+public\.events_id_seq/,
    /An index is invalid\s+index public\.reviews_rating_idx/, /Unused indexes\s+3 indexes/]) assert.match(findings, words);
  assert.match(await main.locator('.figure', { hasText: 'Connections' }).innerText(), /–/, 'this process has none of that server');
  await visit(page, `#/statement/${slower.query_hash}?${WHOSE}`);
  assert.match(await page.getByRole('region', { name: 'As usual?' }).innerText(), /slower than usual[\s\S]*Slower since (\d+ \w+ )?\d+:\d+/);
  assert.equal(await page.locator('.u-legend', { hasText: 'Usual P95' }).count(), 1);
  await visit(page, `#/statements?${WHOSE}`);
  await page.waitForFunction(() => document.querySelectorAll('svg.spark').length > 30); // Lines from the tables, after the figures.
  const route = main.getByLabel('route', { exact: true });
  await route.fill('/cart');
  await route.press('Enter');
  await page.waitForURL(/server=demo&.*route=%2Fcart$/);
  await settled(page);
  await main.locator('tbody tr', { hasText: 'carts' }).first().waitFor();
  await visit(page, `#/tables?${WHOSE}`);
  assert.match(await main.locator('tbody tr').first().innerText(), /carts[\s\S]*autovacuum_enabled/);
  assert.match(await main.locator('.figure', { hasText: 'Bloated tables' }).innerText(), /1\s+[67]\d\d MiB could be free/);
  await visit(page, `#/indexes?${WHOSE}`);
  for (const [index, said] of [['payments_order_id_idx1', /duplicate[\s\S]*payments_order_id_idx is the same[\s\S]*DROP INDEX/], ['reviews_rating_idx', /invalid[\s\S]*REINDEX/]]) {
    assert.match(await main.locator('tbody tr', { hasText: index }).innerText(), said);
  }
  // An index by itself: how it was used, what it takes, what to do at what risk; its table, and back by the address.
  const shown = (title) => page.locator(`.chart[aria-label^="${title}:"]`).getAttribute('aria-label');
  await main.locator('tbody a', { hasText: 'customers_phone_idx' }).click();
  await page.waitForURL(/#\/index\/shop\/public\/customers_phone_idx\?/);
  await settled(page);
  assert.equal(await page.textContent('main h1'), 'customers_phone_idx');
  assert.match(await shown('Use'), /Scans\/hour last 0, at most 0/, 'over a week, by the hour');
  assert.match(await page.getByRole('region', { name: 'What to do' }).innerText(), /frees[\s\S]*DROP INDEX CONCURRENTLY[\s\S]*Risk: \w+/);
  assert.match(await page.getByRole('region', { name: 'Definition' }).innerText(), /^Definition\s+CREATE INDEX customers_phone_idx ON public\.customers/);
  await main.locator('.facts a', { hasText: 'customers' }).click();
  await page.waitForURL(/#\/table\/shop\/public\/customers\?/);
  await settled(page);
  assert.match(await main.locator('tbody tr', { hasText: 'customers_phone_idx' }).innerText(), /unused/);
  await visit(page, '#/table/shop/public/carts?server=demo&range=30d');
  await main.getByText('turn it on').waitFor();
  assert.match(await shown('Size'), /So far last 1\.\d+ GiB.*Forecast last [12]\.\d+ GiB/);
  const bloat = /Bloat last (\d+) %, at most \1 %/.exec(await shown('Bloat'));
  assert.ok(Number(bloat?.[1]) > 50, await shown('Bloat'));
  assert.match(await main.locator('.figure', { hasText: 'Dead rows' }).innerText(), /1\.\d+ M\s+3\d % of all/);
  await visit(page, '#/index/shop/public/nothing?server=demo');
  await main.getByText('It was not there at the last look').waitFor();
  await main.getByRole('link', { name: 'All indexes' }).click();
  await page.waitForURL(/#\/indexes\?server=demo/);
  // What is full first has its past, its forecast and its limit as lines; so has the disk.
  await visit(page, `#/capacity?${WHOSE}`);
  await main.getByText('public.events_id_seq').first().waitFor();
  assert.match(await shown('public.events_id_seq'), /So far last 1\.\d+ G.*Forecast last 2\.15 G.*Limit last 2\.15 G/);
  assert.match(await shown('Disk'), /Forecast last 240 GiB.*Limit last 240 GiB/);
  assert.ok((await main.locator('svg.spark .forecast').count()) > 5);
  await main.locator('tbody a', { hasText: 'public.events' }).first().click();
  await page.waitForURL(/#\/table\/shop\/public\/events\?/);
  // Of all servers too its alerts are counted, and what runs here is not taken for its own.
  await visit(page, '#/fleet');
  await main.getByRole('region', { name: 'Servers' }).locator('tr', { hasText: 'demo' }).locator('[data-level=critical]').waitFor();
  // What it costs, each and together.
  const cost = await main.getByRole('region', { name: 'What all of pgvitals costs' }).innerText();
  assert.match(cost, /CPU per statement\s+\d+ µs[\s\S]*CPU\s+[\d.]+ %\s+of a core[\s\S]*Memory\s+[\d.]+ MiB[\s\S]*Statements\s+1\d\d M/);
  assert.match(await main.locator('tbody tr', { hasText: 'shop-7c9d5b-x2k4t' }).innerText(), /58\.?\d* µs\s+[\d.]+ %\s+1\d\.\d MiB\s+0/);
  await visit(page, `#/now?${WHOSE}`);
  await main.getByText('not of demo').first().waitFor();
  assert.equal(await main.locator('.chart').first().isVisible(), false);

  // What this process measured is no demo.
  await visit(page, `#/overview?${WHOSE}`);
  await page.getByRole('note').filter({ hasText: 'Demo data' }).waitFor();
  await page.getByRole('link', { name: 'Remove the filter server demo' }).click();
  await page.locator('#demo').waitFor({ state: 'hidden' });
  assert.doesNotMatch(await page.textContent('main'), /carts/);
  page.done();
});
