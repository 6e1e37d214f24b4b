// A month that was made up: each page full of it, and none of them silent about what it is.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const ask = async (metric) => (await fetch(`${BASE}/api/performance?metric=${metric}&server=demo&hours=168`)).json();
const { alerts } = await ask('alerts&limit=100');
const slower = alerts.find((one) => one.kind === 'regression' && !one.resolved_at);
const WHOSE = 'server=demo&range=7d';
const PAGES = {
  overview: ['#/overview', 'times as long as at these hours'], statements: ['#/statements', 'order_items'], statement: [`#/statement/${slower.query_hash}`, 'storefront'],
  alerts: ['#/alerts', 'autovacuum is off'], indexes: ['#/indexes', 'orders_status_created_at_idx'], tables: ['#/tables', 'carts'], capacity: ['#/capacity', 'events_id_seq'] };

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
    }
    page.done();
  }
  // A stranger's minute: each thing that is wrong is named on the first page, and its own page says it first.
  const page = await open({ allowed: [400, 503] });
  const main = page.locator('main');
  await visit(page, `#/overview?${WHOSE}`);
  const findings = await main.locator('.findings').innerText();
  for (const words of [/Slower than before\s+SELECT orders order_items in shop takes [\d.]+ times as long/, /A table is bloated\s+public\.carts/, /The disk fills up/, /A sequence runs out\s+public\.events_id_seq/,
    /An index is invalid\s+index public\.reviews_rating_idx/, /Unused indexes\s+3 indexes/]) assert.match(findings, words);
  assert.match(await main.locator('.figure', { hasText: 'Connections' }).innerText(), /–/, 'this process has none of that server');
  await visit(page, `#/statement/${slower.query_hash}?${WHOSE}`);
  assert.match(await page.getByRole('region', { name: 'As usual?' }).innerText(), /slower than usual[\s\S]*Slower since \d+ \w+/);
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
  // Of all servers too its alerts are counted, and what runs here is not taken for its own.
  await visit(page, '#/fleet');
  await main.getByRole('region', { name: 'Servers' }).locator('tr', { hasText: 'demo' }).locator('[data-level=critical]').waitFor();
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
