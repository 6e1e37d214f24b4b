// A shop that was watched for a month: every page full, in light and dark, wide and narrow; and what each of them says.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const ALL = '?range=30d&instance=all';
const SLOWER = '00000000000000a4';
const FAILING = '00000000000000a5';
const { indexes: [{ database }] } = await (await fetch(`${BASE}/api/performance?metric=indexes&limit=1`)).json();
const PAGES = { overview: `#/overview${ALL}`, statements: `#/statements${ALL}`, statement: `#/statement/${SLOWER}${ALL}`, now: '#/now', alerts: `#/alerts${ALL}`,
  indexes: `#/indexes${ALL}`, tables: `#/tables${ALL}`, capacity: `#/capacity${ALL}`, fleet: `#/fleet${ALL}`,
  index: `#/index/${database}/public/orders_note${ALL}`, table: `#/table/${database}/public/orders${ALL}` };

await withBrowser(async (open) => {
  for (const width of [1440, 390]) {
    for (const scheme of ['light', 'dark']) {
      const page = await open({ width, scheme });
      for (const [name, hash] of Object.entries(PAGES)) {
        await visit(page, hash);
        await fits(page, name);
        await isAccessible(page, `${name} ${scheme} ${width}`);
        await picture(page, `full-${name}`);
      }
      page.done();
    }
  }

  const page = await open({ allowed: [404] });
  const main = page.locator('main');
  const row = (text) => main.locator('tbody tr', { hasText: text });

  // What only an alert knows stands out by itself: since yesterday one statement takes three times as long.
  await visit(page, PAGES.overview);
  assert.match(await page.locator('.findings').innerText(), /Slower than before[\s\S]*UPDATE carts in shop takes 3\.0 times as long/);
  assert.match(await page.locator('.findings').innerText(), /A sequence runs out/);

  // What to do, with what it gives and what to run.
  await visit(page, PAGES.overview);
  const advice = page.getByRole('region', { name: 'What to do' });
  assert.match(await advice.innerText(), /frees [\d.]+ [KM]iB/);
  assert.match(await advice.innerText(), /DROP INDEX CONCURRENTLY/);
  await advice.getByRole('link', { name: /^all \d+/ }).click();
  await page.waitForURL(/advice=all/);
  await settled(page);
  assert.ok((await advice.locator('li').count()) > 4);
  await page.goBack();
  await advice.getByRole('link', { name: /^all \d+/ }).waitFor();

  // From what takes the time to the statement, over a month.
  await page.locator('.shares a', { hasText: 'update carts' }).click();
  await page.waitForURL(new RegExp(`#/statement/${SLOWER}\\?range=30d`));
  await settled(page);
  assert.match(await page.locator('pre.sql').innerText(), /^update carts\nset quantity = \$1\nwhere session = \$2$/);
  await visit(page, `#/statement/${SLOWER}?range=1h&instance=all`);
  assert.match(await page.getByRole('region', { name: 'Where it comes from' }).first().innerText(), /\/cart\/add[\s\S]*\/cart\/\{id\}/);
  await visit(page, `#/statement/${FAILING}?range=24h&instance=all`);
  assert.match(await page.getByRole('region', { name: 'Errors' }).innerText(), /23505 unique violation\s+160[\s\S]*57014 query canceled\s+12/);

  // What it used to take, in words and as a line; or why that is not known.
  const usual = { p95_ms: 98.4, now_p95_ms: 212, ratio: 2.15, days: 7, hours_compared: 23, since: '2026-01-24T12:00:00Z', slower_since: '2026-01-31T12:00:00Z', is_regression: true, reason: null };
  const nothing = { p95_ms: null, now_p95_ms: null, ratio: null, days: null, hours_compared: null, since: null, slower_since: null, is_regression: false, reason: 'it takes seven days' };
  for (const [baseline, words] of [[usual, /slower than usual\s+P95 212 ms in the last 23 hours, 2\.15 times the usual 98\.4 ms[\s\S]*Slower since 31 Jan[\s\S]*7 days from 24 Jan/],
    [{ ...usual, ratio: 1.02, now_p95_ms: 100, slower_since: null, is_regression: false }, /as usual\s+P95 100 ms[\s\S]*Usual is the same hours/], [nothing, /nothing yet to compare with[\s\S]*it takes seven days/], [null, /store\.url/]]) {
    await page.route(/metric=query&/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), baseline } });
    });
    await page.reload();
    await settled(page);
    assert.match(await page.getByRole('region', { name: 'As usual?' }).innerText(), words);
    assert.equal(await page.locator('.u-legend', { hasText: 'Usual P95' }).count(), baseline?.p95_ms ? 1 : 0, 'the line in the chart');
    await page.unroute(/metric=query&/);
  }

  // One that is not known says so, and leads on.
  await visit(page, '#/statement/ffffffffffffffff');
  await main.getByText('This statement is not known any more').waitFor();
  await main.getByRole('link', { name: 'All statements' }).click();
  await page.waitForURL(/#\/statements/);

  // Each verdict alone, in the address.
  await visit(page, PAGES.indexes);
  await page.locator('.picks a', { hasText: /^drop/ }).click();
  await page.waitForURL(/verdict=drop/);
  await settled(page);
  assert.deepEqual(await main.locator('tbody th b').allInnerTexts(), ['orders_note']);
  assert.match(await row('orders_note').innerText(), /DROP INDEX CONCURRENTLY/);
  await row('orders_note').getByText('What brings it back').click();
  assert.match(await row('orders_note').innerText(), /CREATE INDEX/i);

  // What rounds saw of it over the month, by its address.
  await row('orders_note').getByRole('link', { name: 'orders_note' }).click();
  await page.waitForURL(/#\/index\/\w+\/public\/orders_note\?/);
  await settled(page);
  assert.match(await main.innerText(), /orders_note[\s\S]*drop[\s\S]*Risk:[\s\S]*CREATE INDEX orders_note ON public\.orders/);
  assert.match(await page.locator('.chart[aria-label^="Size:"]').getAttribute('aria-label'), /Size last [\d.]+ MiB/);

  await visit(page, PAGES.tables);
  const orders = await row('orders').first().innerText();
  assert.match(orders, /7\d %/, 'three of four rows are gone');
  assert.match(orders, /\+[\d.]+ [KM]iB\/day/, 'it grows');

  await visit(page, PAGES.capacity);
  assert.match(await page.getByRole('region', { name: 'What is full first' }).innerText(), /Full in \d+ days[\s\S]*sequence public\.orders_id_seq/);
  assert.match(await row('orders_id_seq').innerText(), /9\d %[\s\S]*\/day/);

  await visit(page, PAGES.fleet);
  assert.match(await row('shop-7f9c-k4d').innerText(), /idle[\s\S]*0\.1\.0/);
  assert.match(await row('shop-5b1a-old').innerText(), /silent[\s\S]*0\.0\.9/);
  await main.getByRole('region', { name: 'Services', exact: true }).first().getByRole('link', { name: 'shop', exact: true }).click();
  await page.waitForURL(/#\/overview\?.*service=shop/);
  await settled(page);

  await visit(page, PAGES.alerts);
  assert.match(await page.getByRole('region', { name: 'Past alerts' }).innerText(), /over after 1\.00 h/);
  assert.match(await page.getByRole('region', { name: 'Open alerts' }).innerText(), /sequence/);

  await visit(page, '#/now');
  assert.match(await row('checkout').innerText(), /\d+ (m?s|min)/);
  assert.match(await page.getByRole('region', { name: 'Open transactions' }).first().innerText(), /1 of 1 idle/);

  // Times are the viewer's: Berlin's, whatever the server's zone.
  await visit(page, `#/statement/00000000000000a2${ALL}`);
  const shown = await page.locator('main td, main th').filter({ hasText: /\d\d:\d\d/ }).first();
  const title = await shown.getAttribute('title');
  assert.match(title, /GMT\+[12]|CES?T/, title);
  page.done();
});
