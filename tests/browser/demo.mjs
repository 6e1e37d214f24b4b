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
  // What this process measured is no demo.
  const page = await open({ allowed: [503] });
  await visit(page, `#/overview?${WHOSE}`);
  await page.getByRole('note').filter({ hasText: 'Demo data' }).waitFor();
  await page.getByRole('link', { name: 'Remove the filter server demo' }).click();
  await page.locator('#demo').waitFor({ state: 'hidden' });
  assert.doesNotMatch(await page.textContent('main'), /carts/);
  page.done();
});
