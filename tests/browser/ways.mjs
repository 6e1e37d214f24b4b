// Ways through the dashboard: drilling down, sorting, searching, ranges that the address holds, keys, what happens live.

import assert from 'node:assert/strict';
import { PATIENCE, isAccessible, settled, visit, withBrowser } from './browser.mjs';

const ALLOWED = [503];
const figure = (page, label) => page.locator('.figure', { has: page.locator(`dt:text-is("${label}")`) }).first().locator('dd');

await withBrowser(async (open) => {
  const page = await open({ allowed: ALLOWED });

  // From the overview to a statement, and back.
  await visit(page, '#/overview?range=24h');
  await page.locator('.shares a', { hasText: 'from numbers' }).first().click();
  await page.waitForURL(/#\/statement\/[0-9a-f]{16}\?range=24h$/);
  await settled(page);
  assert.match(await page.locator('pre.sql').innerText(), /^select .*\nfrom numbers\nwhere /);
  assert.match(await page.locator('.heat [role=img]').getAttribute('aria-label'), /^Heat map of \d/);
  assert.match(await page.locator('main').innerText(), /browsed/, 'who runs it');
  await page.goBack();
  await page.waitForURL(/#\/overview\?range=24h$/);

  // Ranges: pressed, in the address, and the same after a reload.
  await page.getByRole('button', { name: '7 d' }).click();
  await page.waitForURL(/range=7d/);
  await page.reload();
  await settled(page);
  assert.equal(await page.getByRole('button', { name: '7 d' }).getAttribute('aria-pressed'), 'true');
  const asked = page.waitForRequest(/metric=timeline.*hours=0\.25/);
  await page.keyboard.press('1');
  await asked;
  await page.locator('#range [data-key=range-live][aria-pressed=true]').waitFor();
  await settled(page);

  // Dragging over a chart shows that time.
  await page.locator('.uplot .u-over').first().waitFor();
  const box = await page.locator('.uplot .u-over').first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=20.*&to=20/);
  await page.locator('#range .custom[aria-pressed=true]').waitFor();

  // Searching and sorting stay in the address; the focus stays where one types.
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.locator('#search').waitFor();
  await page.keyboard.press('2');
  await page.locator('#range [data-key=range-1h][aria-pressed=true]').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('from numbers');
  await page.waitForURL(/search=from\+numbers/);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await page.fill('#search', 'nothing has this text');
  await page.getByText('No statement fits.').waitFor();
  await page.getByText('Show all statements').click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length > 1);
  await page.getByRole('button', { name: 'Errors' }).click();
  await page.locator('th[aria-sort=descending]', { hasText: 'Errors' }).waitFor();
  await page.waitForFunction(() => /select \$1 ?\/ ?\$2/.test(document.querySelector('tbody tr')?.textContent));
  assert.equal(await page.locator('th[aria-sort=descending]').innerText(), 'Errors↓');
  await page.getByLabel('application').selectOption('browsed');
  await page.locator('.chip', { hasText: 'application: browsed' }).waitFor();

  // Keys and themes.
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await isAccessible(page, 'the list of keys');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'Change to dark' }).click();
  assert.notEqual(await ground(), light);
  await page.reload();
  await page.getByRole('button', { name: 'Change to light' }).waitFor();
  assert.notEqual(await ground(), light, 'the choice is kept');

  // Each second brings news: traffic goes on while this runs.
  await visit(page, '#/now');
  await page.waitForFunction(() => /^[1-9]/.test(document.querySelector('.figure dd')?.textContent), null, { timeout: PATIENCE });
  const first = await figure(page, 'Calls').innerText();
  await page.waitForFunction((before) => document.querySelector('.figure dd')?.innerText !== before, first);
  await visit(page, '#/overview?range=live');
  const chart = page.locator('.chart').nth(1);
  await chart.waitFor();
  const before = await chart.getAttribute('aria-label');
  await page.waitForFunction((old) => document.querySelectorAll('.chart')[1]?.getAttribute('aria-label') !== old, before);
  assert.match(await chart.getAttribute('aria-label'), /^Throughput: Calls\/s last /);
  page.done();
});
