// A real Chromium over the dashboard. What goes wrong on the page is a failure: errors, refused requests, other sites.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { PGVITALS_HTTP, PGVITALS_NODE_MODULES, PGVITALS_CHROMIUM, PGVITALS_PICTURES } = process.env;
const { chromium } = await import(pathToFileURL(join(PGVITALS_NODE_MODULES, 'playwright-core/index.mjs')));
const AXE = readFileSync(join(PGVITALS_NODE_MODULES, 'axe-core/axe.min.js'), 'utf8');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** For how long anything is waited for; the machine may be slow. */
export const PATIENCE = 60_000;
export const BASE = `http://${PGVITALS_HTTP}`;

/** Runs `use(open)` with a browser; `open({ width, scheme, allowed })` makes a page that is watched. */
export async function withBrowser(use) {
  const browser = await chromium.launch({ executablePath: PGVITALS_CHROMIUM, args: FLAGS });
  try {
    await use((options) => open(browser, options));
  } finally {
    await browser.close();
  }
}

async function open(browser, { width = 1440, scheme = 'light', allowed = [] } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 }, timezoneId: 'Europe/Berlin' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  // The address changes a moment before the page that it names is made.
  await page.addInitScript(() => {
    const arrive = () => { window.arrived = location.hash; };
    arrive();
    window.addEventListener('hashchange', arrive);
  });
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(`error: ${error.stack}`));
  page.on('console', (message) => {
    // Answers other than 2xx are judged below, where their status is known.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) troubles.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${BASE}/`)) troubles.push(`asked another site: ${request.url()}`);
  });
  page.on('response', (response) => {
    const isFine = response.status() < 400 || allowed.includes(response.status());
    if (!isFine) troubles.push(`${response.status()} ${response.url()}`);
  });
  return Object.assign(page, { troubles, scheme, width, done: () => assert.deepEqual(troubles, []) });
}

/** Goes to a page of the dashboard and waits until each panel has an answer. */
export async function visit(page, hash) {
  await page.goto(`${BASE}/${hash}`);
  await settled(page);
}

/** Waits until the page of the address is there and none of its panels is still asking. */
export async function settled(page) {
  await page.waitForFunction(() => window.arrived === location.hash && document.querySelector('main h1') && !/Asking …/.test(document.querySelector('main').textContent));
}

/** A picture for people to look at. */
export async function picture(page, name) {
  mkdirSync(PGVITALS_PICTURES, { recursive: true });
  await page.screenshot({ path: join(PGVITALS_PICTURES, `${name}-${page.scheme}-${page.width}.png`), fullPage: true });
}

/** What people who don't see the page would stumble over. */
export async function isAccessible(page, name) {
  // The page's own policy would keep it out; the debugger's protocol is above that.
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ['violations'] })`);
  const serious = found.violations.filter((one) => one.impact === 'serious' || one.impact === 'critical');
  assert.deepEqual(serious.map((one) => `${name}: ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`), []);
}

/** Nothing sticks out to the side. */
export async function fits(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${name} at ${page.width} px is ${over} px too wide`);
}
