// An alert that is open: who sees to it acknowledges it, and who wants quiet gets it, in a window that keys can use alone.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const alert = async () => (await (await fetch(`${BASE}/api/performance?metric=alerts`)).json()).alerts[0];
const dialog = (page) => page.getByRole('dialog');

await withBrowser(async (open) => {
  for (const [width, scheme] of [[390, 'dark'], [1440, 'light']]) {
    const page = await open({ width, scheme, allowed: [503] });
    page.on('dialog', () => assert.fail('a window of the browser’s own opened'));
    await visit(page, '#/overview');
    await page.locator('.findings', { hasText: 'An alert is open' }).waitFor();
    assert.match(await page.locator('.findings li', { hasText: 'An alert is open' }).innerText(), /SELECT in postgres took/, 'it is named');
    await page.getByText('An alert is open').click();
    await page.locator('.alerts li').waitFor();
    await settled(page);
    assert.match(await page.locator('.alerts').innerText(), /slow statement/);
    await fits(page, 'alerts');
    await isAccessible(page, 'alerts');
    await picture(page, 'alert');

    // Opened by a key, left by a key: the focus is where it was.
    const silence = page.getByRole('button', { name: /^Silence: / });
    await silence.focus();
    await page.keyboard.press('Enter');
    await dialog(page).waitFor();
    await fits(page, 'silence');
    await isAccessible(page, 'silence');
    await picture(page, 'silence');
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'hidden' });
    assert.equal(await silence.evaluate((button) => button === document.activeElement), true);
    if (width === 1440) {
      await page.getByRole('button', { name: /^Acknowledge: / }).click();
      assert.equal(await page.evaluate(() => document.activeElement.autocomplete), 'name', 'a name is asked for');
      await page.keyboard.type('Ada');
      await page.keyboard.press('Enter');
      await page.getByText('acknowledged by Ada').waitFor();
      assert.equal((await alert()).acknowledged, 'Ada');
      assert.equal(await page.getByRole('button', { name: /^Acknowledge/ }).count(), 0);
      assert.match(await page.evaluate(() => document.activeElement.dataset.key), /^alert-/, 'the focus stays at the alert');

      await silence.click();
      assert.equal(await dialog(page).getByLabel(/^Your name/).inputValue(), 'Ada', 'the name is remembered');
      await dialog(page).getByLabel('8 hours').check();
      assert.match(await dialog(page).innerText(), /Nobody is told of it until (\d+ \w+ )?\d\d:\d\d\./);
      const answered = page.waitForResponse((response) => response.url().endsWith('/silence'));
      await dialog(page).getByRole('button', { name: 'Silence', exact: true }).click();
      assert.equal((await answered).status(), 200);
      assert.deepEqual((await answered).request().postDataJSON(), { by: 'Ada', minutes: 480 });
      const { silenced_by: by, silenced_until: until } = await alert();
      assert.equal(by, 'Ada');
      const hours = (new Date(until) - Date.now()) / 3.6e6;
      assert.ok(hours > 7.8 && hours <= 8, until);
      const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }).format(new Date(until));
      await page.locator('.alerts li', { hasText: clock }).waitFor();
      assert.match(await page.locator('.alerts').innerText(), new RegExp(`silent until (\\d+ \\w+ )?${clock} \\(Ada\\)`), 'until when, in the viewer’s zone');
      await page.reload();
      await page.getByText('silent until').waitFor();
      await page.getByRole('link', { name: 'Statement', exact: true }).click();
      await page.locator('pre.sql').waitFor();
      assert.match(await page.locator('pre.sql').innerText(), /pg_sleep/);
    }
    page.done();
  }
});
