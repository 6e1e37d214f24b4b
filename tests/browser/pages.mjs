// Each page with data: light and dark, wide and narrow; nothing fails, sticks out, or is hidden from a screen reader.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, visit, withBrowser } from './browser.mjs';

const { queries } = await (await fetch(`${BASE}/api/performance?metric=queries&search=from%20numbers&limit=1`)).json();
const PAGES = {
  overview: ['#/overview', 'What stands out'], statements: ['#/statements', 'from numbers'], statement: [`#/statement/${queries[0].query_hash}`, 'Durations over time'],
  now: ['#/now', 'In flight'], alerts: ['#/alerts', 'Alerts'], indexes: ['#/indexes', 'Indexes'], tables: ['#/tables', 'Bloat'],
  capacity: ['#/capacity', 'Growth'], fleet: ['#/fleet', 'What this pgvitals costs'], nothing: ['#/nothing', 'There is no such page.'] };
/** Metrics that need a role to read the server: 503 says so, and the page what to do. */
const ALLOWED = [503];

await withBrowser(async (open) => {
  for (const width of [1440, 390]) {
    for (const scheme of ['light', 'dark']) {
      const page = await open({ width, scheme, allowed: ALLOWED });
      for (const [name, [hash, text]] of Object.entries(PAGES)) {
        await page.goto(`${BASE}/${hash}`);
        await page.waitForFunction((wanted) => document.querySelector('main').textContent.includes(wanted), text);
        await page.waitForFunction(() => !/Asking …/.test(document.querySelector('main').textContent));
        await fits(page, name);
        await isAccessible(page, `${name} ${scheme} ${width}`);
        await picture(page, name);
      }
      page.done();
    }
  }

  const page = await open({ allowed: ALLOWED });
  let loaded = 0;
  page.on('response', async (response) => { loaded += Number(response.headers()['content-length'] ?? 0); });
  await visit(page, '');
  assert.ok(loaded > 50_000 && loaded < 300_000, `the first view loads ${loaded} bytes`);
  for (const word of ['Calls', 'P95', 'Errors', 'Where the time goes']) assert.match(await page.textContent('main'), new RegExp(word));
  assert.match(await page.textContent('.findings'), /Statement always fails.*select \$1 ?\/ ?\$2.*22012 division by zero/);
  page.done();
});
