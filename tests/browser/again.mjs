// pgvitals goes and comes back while a page is open: the page says so, and goes on. A page that nobody sees asks nothing.

import assert from 'node:assert/strict';
import { settled, visit, withBrowser } from './browser.mjs';

const PID = Number(process.env.PGVITALS_PID);
const SECONDS = 4;

await withBrowser(async (open) => {
  // What is asked while nobody answers fails.
  const page = await open({ allowed: [503] });
  const seconds = () => page.evaluate(async () => (await import('/assets/api.js')).live.seconds.length);
  await visit(page, '#/now');
  await page.waitForFunction(() => document.documentElement.dataset.live === 'open');

  // Out of sight: seconds come in, questions don't go out; seen again it asks at once.
  const asked = [];
  page.on('request', (request) => { if (request.url().includes('/api/performance')) asked.push(request.url()); });
  const see = (state) => page.evaluate((now) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  await see(true);
  await settled(page);
  await page.waitForLoadState('networkidle');
  asked.length = 0;
  const before = await seconds();
  await page.waitForFunction(async (more) => (await import('/assets/api.js')).live.seconds.length > more, before + SECONDS);
  assert.deepEqual(asked, [], 'hidden');
  await page.evaluate(async () => {
    const { live } = await import('/assets/api.js');
    live.seconds.push(...Array.from({ length: 1000 }, (_, place) => ({ time: place, at: new Date().toISOString() })));
  });
  await page.waitForFunction(async () => (await import('/assets/api.js')).live.seconds.length <= 300);
  const again = page.waitForRequest(/metric=active/);
  await see(false);
  await again;

  // Gone.
  process.kill(PID, 'SIGTERM');
  await page.locator('#trouble', { hasText: 'pgvitals has not answered since' }).waitFor();
  assert.match(await page.locator('#said[role=status]').textContent(), /has not answered since/, 'it is said politely to those who don’t see it');
  assert.match(await page.locator('#foot').innerText(), /no answer; trying again/);
  // And back.
  await page.locator('#trouble').waitFor({ state: 'hidden' });
  await page.locator('#said', { hasText: 'pgvitals answers again.' }).waitFor({ state: 'attached' });
  await page.waitForFunction(() => document.documentElement.dataset.live === 'open');
  await page.waitForFunction(() => /^\d/.test(document.querySelector('.figure dd')?.textContent));
  await settled(page);
  assert.deepEqual(page.troubles.filter((one) => !/ERR_|EventSource/.test(one)), []);
});
