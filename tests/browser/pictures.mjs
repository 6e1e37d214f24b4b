// The pictures of the README, from a running demo and its month: `make pictures`.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { settled, visit, withBrowser } from './browser.mjs';

const [, , folder] = process.argv;
const WIDTH = 1280;
const BYTES_MAX = 200_000;

const PICTURES = [
  { name: 'overview', height: 1034, show: async (page) => page.locator('.findings', { hasText: 'Unused indexes' }).waitFor() },
  { name: 'statement', height: 985, show: async (page) => {
    await page.locator('.findings a', { hasText: 'Slower than before' }).click();
    await page.locator('h1', { hasText: 'Statement' }).waitFor();
    await settled(page);
  } },
];

await withBrowser(async (open) => {
  for (const { name, height, show } of PICTURES) {
    for (const scheme of ['light', 'dark']) {
      const page = await open({ width: WIDTH, scheme });
      await page.setViewportSize({ width: WIDTH, height });
      await visit(page, '#/overview?server=demo&range=7d');
      await page.locator('.uplot').nth(1).waitFor();
      await show(page);
      await page.locator('.uplot').nth(1).waitFor();
      const path = join(folder, `${name}-${scheme}.png`);
      await page.screenshot({ path });
      if (statSync(path).size > BYTES_MAX) throw new Error(`${path} is over ${BYTES_MAX} bytes`);
    }
  }
});
