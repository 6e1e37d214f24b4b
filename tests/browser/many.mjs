// Thousands of statements: a page holds fifty rows whatever there is, and all can be reached.

import assert from 'node:assert/strict';
import { settled, visit, withBrowser } from './browser.mjs';

const STATEMENTS = Number(process.env.PGVITALS_STATEMENTS);

await withBrowser(async (open) => {
  const page = await open({ allowed: [503] });
  await visit(page, '#/statements');
  const total = async () => Number((await page.locator('.pages span').innerText()).split(' of ')[1].replaceAll(',', ''));
  const rows = () => page.locator('tbody tr').count();
  assert.ok((await total()) >= STATEMENTS, `${await total()} statements`);
  assert.equal(await rows(), 50);
  await page.getByText('Next →').click();
  await page.getByText(/^51–100 of/).waitFor();
  assert.equal(await rows(), 50);
  await page.fill('#search', `column_${STATEMENTS - 1}`);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.fill('#search', '');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
  await visit(page, '#/overview');
  await settled(page);
  assert.ok((await page.evaluate(() => document.querySelectorAll('*').length)) < 2000, 'a page stays small');
  page.done();
});
