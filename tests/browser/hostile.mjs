// Text that comes from clients is shown as text, wherever it is shown.

import assert from 'node:assert/strict';
import { BASE, settled, visit, withBrowser } from './browser.mjs';

// A hash that is none is a 400.
const ALLOWED = [400, 503];
const { queries } = await (await fetch(`${BASE}/api/performance?metric=queries&search=onerror&limit=1`)).json();

await withBrowser(async (open) => {
  const page = await open({ allowed: ALLOWED });
  await page.addInitScript(() => { window.ran = () => { window.hasRun = true; }; });
  const isHarmless = async (where) => {
    assert.equal(await page.evaluate(() => window.hasRun), undefined, `it ran: ${where}`);
    assert.equal(await page.locator('main img, main script, main iframe').count(), 0, `it became markup: ${where}`);
  };

  await visit(page, '#/statements');
  await page.getByText('<img src=x onerror=ran()>').first().waitFor();
  await isHarmless('statements');
  await page.getByLabel('application').locator('option', { hasText: '<script>ran()</script>' }).waitFor({ state: 'attached' });
  await page.getByLabel('By who runs it').check();
  await page.getByText('<script>ran()</script>').last().waitFor();
  await isHarmless('statements by who runs them');

  await visit(page, `#/statement/${queries[0].query_hash}`);
  const text = await page.locator('main').innerText();
  for (const part of ['<img src=x onerror=ran()>', '<script>ran()</script>', 'route=<svg onload=ran()>']) {
    assert.ok(text.includes(part), `${part} is not in ${text}`);
  }
  await isHarmless('statement');

  for (const hash of ['#/overview', '#/now', '#/statement/%3Cimg%20src=x%20onerror=ran()%3E', '#/%3Cimg%20src=x%20onerror=ran()%3E', '#/overview?database=%3Cimg%20src=x%20onerror=ran()%3E']) {
    await page.goto(`${BASE}/${hash}`);
    await page.reload();
    await page.locator('main h1, main .empty').first().waitFor();
    if (!hash.startsWith('#/%3C')) await settled(page);
    await isHarmless(hash);
  }
  page.done();
});
