/** The dashboard in Chromium: a token typed in, a lock that changes while it is looked at, deeds. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type Page, startBrowser } from '@tenant-fleet/browser';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { Client, startPlane, TOKEN } from '../support/plane.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser: Browser;
let plane: ControlPlane;
let client: Client;
let noise: string[] = [];
beforeAll(async () => {
  [browser, plane] = await Promise.all([
    startBrowser(),
    startPlane({ fleet: { tenants: ['acme', 'birch'] } }),
  ]);
  client = new Client(plane.url, 'staging');
});
afterAll(async () => {
  await browser.close();
  await plane.close();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(noise).toEqual([]);
  noise = [];
});

async function open(token = TOKEN, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('console', (message) => message.type() === 'error' && noise.push(message.text()));
  await page.goto(plane.url);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  return page;
}

/** A rollout of two tenants that holds the lock, or has ended. */
async function rollout(outcome?: string) {
  const claim = await client.holding('deploy-staging', { holder: { name: 'deploy-staging', actor: 'ann' } });
  const record = {
    ...{ target_tag: 'staging-bbbbbbb', expected_sha: 'b'.repeat(40), tool_version: '1.0.0', outcome },
    counts: { enumerated: 2, on_target: 1, stale: 1 },
    tenants: [
      {
        slug: 'acme',
        status: 'on_target',
        phase: 'canary',
        baseline_sha: 'a'.repeat(40),
        observed_sha: 'b'.repeat(40),
      },
      {
        slug: 'birch',
        status: 'stale',
        phase: 'batch-1',
        baseline_sha: 'a'.repeat(40),
        observed_sha: 'a'.repeat(40),
      },
    ],
    timeline: [
      { at_ms: 0, event: 'wave.started', phase: 'canary' },
      { at_ms: 0, event: 'tenant.rolled', slug: 'acme' },
      { at_ms: 900, event: 'tenant.proven', slug: 'acme' },
    ],
  };
  const body = { session: claim.session, fencing_token: claim.token, rollout: record };
  await client.call('POST', `${claim.path}/rollout`, body);
  if (outcome) await claim.release({ fencing_token: claim.token, rollout: record });
  return claim;
}

it('shows a lock and its changes as they come, and lets a person freeze it', async () => {
  await rollout('succeeded_with_quarantine');
  const page = await open();
  await page.getByRole('heading', { name: 'staging: free' }).waitFor();
  expect(await page.locator('#part').textContent()).toContain('1 tenant on bbbbbbb (staging-bbbbbbb)');
  expect(await page.locator('#part').textContent()).toContain('birch: stale, on aaaaaaa');
  const claim = await client.holding('ci');
  await page.getByText('Held by ci').waitFor();
  await client.waiting('next');
  await page.getByText('1 claim in the queue').waitFor();
  await page.getByText('Operate').click();
  await page.locator('[data-deed=freeze] input').fill('an audit');
  await page.locator('[data-deed=freeze] button').click();
  await page.getByRole('heading', { name: /frozen by .*: an audit/ }).waitFor();
  await claim.release({ fencing_token: claim.token });
  await client.post('unfreeze', { reason: 'over', actor: 'test' });
  await page
    .getByText(/unfrozen/)
    .first()
    .waitFor();
});

it('draws a rollout of the past', async () => {
  client = new Client(plane.url, 'drawn');
  await rollout('failed');
  const page = await open();
  await page.locator('nav').getByText('drawn').click();
  await page.locator('tbody a').first().click();
  await page.getByRole('heading', { name: /failed/ }).waitFor();
  expect(await page.locator('#plot circle.proven').count()).toBe(1);
  expect(await page.locator('tbody th').allTextContents()).toEqual(['birch', 'acme']);
});

it('keeps the token in the tab alone, and forgets it on demand', async () => {
  const page = await open();
  await page.getByRole('heading', { name: /:/ }).first().waitFor();
  expect(await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie]')).toEqual([
    1,
    0,
    '',
  ]);
  await page.reload();
  await page.getByRole('heading', { name: /:/ }).first().waitFor();
  await page.getByText('Forget the token').click();
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  expect(await page.getByLabel('Token').isVisible()).toBe(true);
});

it('says why a token is not taken, and asks again', async () => {
  const page = await open('not-the-token-at-all');
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('alert').textContent()).toMatch(/^The bearer token is missing or wrong\./);
  expect(await page.getByLabel('Token').isVisible()).toBe(true);
  // The browser itself notes each refused request.
  noise = noise.filter((line) => !line.includes('401'));
});

it.each(['light', 'dark'] as const)(
  'no barrier that axe knows of, in %s, on a phone',
  async (colorScheme) => {
    const page = await open(TOKEN, { colorScheme, bypassCSP: true, viewport: { width: 390, height: 800 } });
    await page.getByRole('heading', { name: /:/ }).first().waitFor();
    await page.getByText('Operate').click();
    await page.evaluate(AXE);
    const found = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
      'axe.run().then(({ violations }) => violations)',
    );
    expect(found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  },
);
