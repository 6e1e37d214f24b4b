// An alert that is open: who knows of it says so, and who wants quiet gets it.

import assert from 'node:assert/strict';
import { BASE, fits, isAccessible, picture, settled, visit, withBrowser } from './browser.mjs';

const alert = async () => (await (await fetch(`${BASE}/api/performance?metric=alerts`)).json()).alerts[0];

await withBrowser(async (open) => {
  for (const [width, scheme] of [[390, 'dark'], [1440, 'light']]) {
    const page = await open({ width, scheme, allowed: [503] });
    page.on('dialog', (dialog) => dialog.accept('Ada'));
    await visit(page, '#/overview');
    await page.locator('.findings', { hasText: 'An alert is open' }).waitFor();
    await page.getByText('An alert is open').click();
    await page.locator('.alerts li').waitFor();
    await settled(page);
    assert.match(await page.locator('.alerts').innerText(), /slow statement/);
    await fits(page, 'alerts');
    await isAccessible(page, 'alerts');
    await picture(page, 'alert');
    if (width === 1440) {
      await page.getByRole('button', { name: 'I know' }).click();
      await page.getByText('Ada knows').waitFor();
      assert.equal((await alert()).acknowledged, 'Ada');
      assert.equal(await page.getByRole('button', { name: 'I know' }).count(), 0);
      const answered = page.waitForResponse((response) => response.url().endsWith('/silence'));
      await page.getByRole('button', { name: /^Silence for 1 h/ }).click();
      assert.equal((await answered).status(), 200);
      assert.deepEqual((await answered).request().postDataJSON(), { by: 'Ada', minutes: 60 });
      await page.getByText('Silent for 1 h.').waitFor({ state: 'attached' });
      await page.getByText('The statement').click();
      await page.locator('pre.sql').waitFor();
      assert.match(await page.locator('pre.sql').innerText(), /pg_sleep/);
    }
    page.done();
  }
});
