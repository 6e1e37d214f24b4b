// The picture at the top of the README, from a running demo and its month: `make picture`.

import { statSync } from 'node:fs';
import { visit, withBrowser } from './browser.mjs';

const WIDTH = 1280;
const HEIGHT = 1034;
const BYTES_MAX = 200_000;

await withBrowser(async (open) => {
  const page = await open({ width: WIDTH, allowed: [503] });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  await visit(page, '#/overview?server=demo&range=7d');
  await page.locator('.uplot').nth(1).waitFor();
  await page.locator('.findings', { hasText: 'Unused indexes' }).waitFor();
  await page.screenshot({ path: process.argv[2] });
  if (statSync(process.argv[2]).size > BYTES_MAX) throw new Error(`over ${BYTES_MAX} bytes`);
});
