// Where a token is needed: a form asks for it, a cookie keeps it from scripts.

import assert from 'node:assert/strict';
import { isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const TOKEN = process.env.PGVITALS_TOKEN;

await withBrowser(async (open) => {
  const page = await open({ allowed: [401, 503] });
  await visit(page, '#/overview');
  await page.getByRole('dialog').waitFor();
  await isAccessible(page, 'sign-in');
  await picture(page, 'signin');
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('the token is not http_token').waitFor();
  await page.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.locator('.figure').first().waitFor();
  await settled(page);
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await page.evaluate(() => document.cookie), '', 'scripts see no cookie');
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  assert.ok(!cookie.value.includes(TOKEN));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  page.done();
});
