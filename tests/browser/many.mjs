// Thousands of statements: a page holds fifty rows whatever there is, all can be reached, and nothing makes the page wait.

import assert from 'node:assert/strict';
import { settled, visit, withBrowser } from './browser.mjs';

const STATEMENTS = Number(process.env.PGVITALS_STATEMENTS);
/** Work of the page's thread that people feel, in seconds of its own time: how busy the machine is plays no part. */
const JANK_S = 0.2;

await withBrowser(async (open) => {
  const page = await open({ allowed: [503] });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const worked = async () => (await devtools.send('Performance.getMetrics')).metrics.find((one) => one.name === 'TaskDuration').value;
  const quick = async (what, act) => {
    const before = await worked();
    await act();
    const took = (await worked()) - before;
    assert.ok(took < JANK_S, `${what} takes ${took.toFixed(3)} s`);
  };

  await visit(page, '#/statements');
  const total = async () => Number((await page.locator('.pages span').innerText()).split(' of ')[1].replaceAll(',', ''));
  const rows = () => page.locator('tbody tr').count();
  assert.ok((await total()) >= STATEMENTS, `${await total()} statements`);
  assert.equal(await rows(), 50);
  await quick('scrolling', async () => {
    await page.mouse.move(700, 500);
    for (let turn = 0; turn < 10; turn += 1) await page.mouse.wheel(0, 200);
    await page.waitForFunction(() => window.scrollY > 1000);
  });
  await quick('sorting', async () => {
    await page.getByRole('button', { name: 'Mean' }).click();
    await page.locator('th[aria-sort=descending]', { hasText: 'Mean' }).waitFor();
    await settled(page);
  });
  await quick('the next page', async () => {
    await page.getByText('Next →').click();
    await page.getByText(/^51–100 of/).waitFor();
  });
  assert.equal(await rows(), 50);
  await page.locator('#search').focus();
  await quick('typing', async () => {
    await page.keyboard.type(`column_${STATEMENTS - 1}`);
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  });
  await page.fill('#search', '');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
  await visit(page, '#/overview');
  await settled(page);
  assert.ok((await page.evaluate(() => document.querySelectorAll('*').length)) < 2000, 'a page stays small');
  page.done();
});
