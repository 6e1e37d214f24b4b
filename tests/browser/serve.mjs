// `pgvitals serve`: the page opens on the fleet, is about all of it, and does not offer what only a sidecar knows.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

/** Nobody has looked at the servers here: 503 says so, and the page what to do. */
const ALLOWED = [503];
const PAGES = ['overview', 'statements', 'alerts', 'indexes', 'tables', 'capacity'];

await withBrowser(async (open) => {
  for (const width of [1440, 390]) {
    for (const scheme of ['light', 'dark']) {
      const page = await open({ width, scheme, allowed: ALLOWED });
      await visit(page, '');
      assert.equal(await page.textContent('main h1'), 'Fleet');
      await fits(page, 'fleet');
      await isAccessible(page, `fleet ${scheme} ${width}`);
      await picture(page, 'serve-fleet');
      for (const name of PAGES) {
        await visit(page, `#/${name}`);
        await fits(page, name);
        await picture(page, `serve-${name}`);
      }
      page.done();
    }
  }

  const page = await open({ allowed: ALLOWED });
  await visit(page, '');
  const pages = await page.locator('nav a').allTextContents();
  assert.deepEqual([pages[0], pages.includes('Now')], ['Fleet', false]);
  const text = await page.textContent('main');
  for (const word of ['Servers', 'orders-db', 'billing-db', 'Instances', 'pgvitals serve']) assert.match(text, new RegExp(word));
  assert.doesNotMatch(text, /This pgvitals/);
  // Who measures says what that costs; of who serves it is told beside it.
  assert.match(await page.getByRole('region', { name: 'What all of pgvitals costs' }).innerText(), /CPU per statement\s+[\d.]+ m?[µs]+[\s\S]*Memory\s+[\d.]+ MiB/);
  assert.match(await page.getByRole('region', { name: 'pgvitals serve' }).innerText(), /CPU\s+[\d.]+ %[\s\S]*Memory\s+[\d.]+ MiB/);
  // A server is a link to its own figures; the brand leads back.
  await page.click('main a:text-is("orders-db")');
  await settled(page);
  assert.match(page.url(), /#\/overview\?server=orders-db/);
  await page.click('a.brand');
  await page.waitForFunction(() => document.querySelector('main h1').textContent === 'Fleet');
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  assert.equal(await page.textContent('main h1'), 'Fleet', 'there is no now');
  await page.goto(`${BASE}/#/now`);
  await page.waitForFunction(() => document.querySelector('main').textContent.includes('There is no such page'));
  await visit(page, '#/statements?range=live');
  assert.match(await page.textContent('main'), /select \$1 as something/);
  page.done();
});
