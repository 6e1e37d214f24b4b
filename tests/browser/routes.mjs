// What comes from one route: chosen among a thousand, followed to a statement and back, left behind where it can't be told.

import assert from 'node:assert/strict';
import { fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const ROUTE = '/shelves/{id}/7';
const at = (page, part) => page.waitForFunction((wanted) => decodeURIComponent(location.hash).includes(wanted), part);

await withBrowser(async (open) => {
  const page = await open({ allowed: [503] });
  const main = page.locator('main');
  const field = main.getByLabel('route', { exact: true });
  const rows = () => main.locator('tbody tr').count();
  const address = () => page.evaluate(() => decodeURIComponent(location.hash));

  await visit(page, '#/statements?sort=max_ms&user=postgres&split=1');
  await field.waitFor();
  assert.equal(await field.getAttribute('placeholder'), 'Any route');
  assert.ok((await page.locator('#routes option').count()) > 950, 'all of them are offered');

  // Among a thousand one types; who runs it is no longer asked for, nor what is not counted by route.
  await field.fill(ROUTE);
  await field.press('Enter');
  await at(page, `route=${ROUTE}`);
  await settled(page);
  await main.getByText('1–1 of 1').waitFor();
  assert.doesNotMatch(await address(), /user=/);
  assert.match(await main.locator('tbody tr').innerText(), /select n from shelves[\s\S]*100 %/);
  assert.deepEqual(await main.getByRole('columnheader', { name: /Longest|Sent|Who/ }).allInnerTexts(), []);
  assert.ok(await main.getByLabel('By who runs it').isDisabled());
  for (const name of ['Errors', 'P99', 'Rows', 'Mean', 'Calls']) {
    await main.getByRole('button', { name, exact: true }).click();
    await main.locator('th[aria-sort=descending]', { hasText: name }).waitFor();
  }
  await field.waitFor();
  await fits(page, 'a route');
  await isAccessible(page, 'statements of a route');
  await picture(page, 'statements-route');

  // One statement of the route, then all of it, then from its routes back to all statements of another.
  await main.locator('tbody a').first().click();
  await at(page, '#/statement/');
  await main.getByText('Only calls of the route').waitFor();
  assert.match(await main.locator('.figures').innerText(), /Calls\s+3\b/);
  assert.equal(await main.getByRole('region', { name: 'Who runs it' }).count(), 0);
  await isAccessible(page, 'a statement of a route');
  await picture(page, 'statement-route');
  await main.getByRole('link', { name: 'All calls' }).click();
  const from = main.getByRole('region', { name: 'Where it comes from' }).first();
  await from.waitFor();
  const other = await from.locator('tbody a').first().innerText();
  await from.locator('tbody a').first().click();
  await at(page, `#/statements?route=${other}`);
  await main.getByText('1–1 of 1').waitFor();

  // An application likewise; it and a route are not asked for together.
  await main.locator('tbody a').first().click();
  await main.getByRole('link', { name: 'All calls' }).click();
  await main.getByRole('region', { name: 'Who runs it' }).first().getByRole('link', { name: 'browsed' }).click();
  await at(page, '#/statements?application=browsed');
  await settled(page);
  assert.ok((await rows()) > 1);
  await field.fill('/numbers');
  await field.press('Enter');
  await at(page, 'route=/numbers');
  assert.doesNotMatch(await address(), /application=/);
  await main.getByText('1–1 of 1').waitFor();
  await main.getByLabel('application', { exact: true }).selectOption('browsed');
  await at(page, 'application=browsed');
  assert.doesNotMatch(await address(), /route=/);

  // It goes with Statements alone, is shown as a filter, and is taken away in each way.
  await visit(page, '#/statements?route=/numbers');
  await page.getByRole('link', { name: 'Overview' }).click();
  await at(page, '#/overview');
  assert.doesNotMatch(await address(), /route=/);
  await page.goBack();
  await page.locator('.chip', { hasText: 'route: /numbers ×' }).click();
  await page.waitForFunction(() => !location.hash.includes('route='));
  await visit(page, '#/statements?route=/numbers');
  await field.fill('');
  await field.press('Enter');
  await page.waitForFunction(() => !location.hash.includes('route='));
  await visit(page, '#/statements?route=/nobody');
  await main.getByRole('link', { name: 'Show all statements' }).click();
  await page.waitForFunction(() => !location.hash.includes('route='));
  page.done();

  const phone = await open({ width: 390, scheme: 'dark', allowed: [503] });
  await visit(phone, '#/statements?route=/numbers');
  await phone.getByLabel('route', { exact: true }).waitFor();
  await fits(phone, 'a route');
  await isAccessible(phone, 'a route on a phone');
  await picture(phone, 'statements-route');
  phone.done();
});
