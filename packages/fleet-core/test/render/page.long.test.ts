/** The report page as people meet it: in Chromium, by mouse and keys, in light and dark, on paper. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, type Page, startBrowser } from '@tenant-fleet/browser';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FleetResult } from '../../src/index.js';
import { renderHtml } from '../../src/render/index.js';
import { type Play, play, slugAt } from '../helpers/played.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BROKEN: Play = { tenants: 12, stuck: ['juniper'], dead: ['lumen'], options: { batchSize: 4 } };
const MANY: Play = { tenants: 500, stuck: [slugAt(44)], options: { batchSize: 50, maxStragglers: 5 } };

let browser: Browser;
let folder: string;
/** What the page said or asked for that it should not have. */
let noise: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-page-'));
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(noise).toEqual([]);
  noise = [];
});

async function open(given: Play | FleetResult, options: BrowserContextOptions = {}): Promise<Page> {
  const result = 'schema' in given ? given : (await play(given)).result;
  const file = join(folder, `${Math.random()}.html`);
  writeFileSync(file, renderHtml(result));
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('dialog', (dialog) => noise.push(dialog.message()));
  page.on('request', (request) => {
    if (request.url() !== `${pathToFileURL(file)}`) noise.push(request.url());
  });
  await page.goto(`${pathToFileURL(file)}`);
  return page;
}

/** What has the focus, by the shortest that names it, and whether that is to be seen. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const seen = getComputedStyle(one).outlineStyle !== 'none';
  return (one.id || one.className || one.textContent || one.tagName) + (seen ? '' : ' UNSEEN');
})()`;

const visibleRows = (page: Page) =>
  page
    .locator('.tenants tbody tr')
    .evaluateAll((rows) =>
      rows.filter((row) => row.checkVisibility()).map((row) => row.querySelector('th')?.textContent),
    );

describe('what it shows', () => {
  test('of a failure: the verdict, why, whole commands, and the tenants that need somebody', async () => {
    const page = await open(BROKEN);
    expect(await page.locator('h1').textContent()).toMatch(/^FAILED: staging is not proven/);
    expect(await page.locator('#next ~ ul li').allInnerTexts()).toContain(
      'look at juniper: rolled, and still on another commit; an old container, or an image that was not pulled',
    );
    expect(await page.locator('.command pre').first().textContent()).toMatch(
      /^fleet redeploy .*--max-stragglers 2$/,
    );
    expect(await visibleRows(page)).toEqual(['juniper', 'lumen']);
    expect(await page.locator('summary').first().textContent()).toBe('10 tenants on target');
    expect(await page.locator('.names li').allInnerTexts()).toHaveLength(12);
  });

  test('the same without its script, but for what only a script can do', async () => {
    const page = await open(BROKEN, { javaScriptEnabled: false });
    expect(await page.locator('#plot circle.proven').count()).toBe(10);
    for (const control of await page.locator('[data-script]').all())
      expect(await control.isVisible()).toBe(false);
  });

  test.each([320, 390, 794, 1280, 2560])('nothing hangs out at %i pixels', async (width) => {
    const page = await open(MANY, { viewport: { width, height: 800 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  });

  test('texts of others are texts: no script of theirs runs, and no address of theirs is followed', async () => {
    const { result } = await play({ tenants: 2, stuck: ['birch'] });
    const evil = `"><script>alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(2)"><svg onload=alert(3)>`;
    const tenants = result.tenants.map((tenant) => ({
      ...tenant,
      slug: tenant.slug + evil,
      detail: evil,
      phase: evil,
    }));
    const timeline = result.timeline?.map((one) => ({
      ...one,
      ...(one.slug ? { slug: one.slug + evil } : {}),
    }));
    const page = await open({
      ...{ ...result, tenants, timeline, reason: evil, warnings: [evil], actor: evil, environment: evil },
      run_url: 'javascript:alert(4)',
    } as FleetResult);
    expect(await page.locator('img, header a').count()).toBe(0);
    expect(await page.locator('tbody th').first().textContent()).toContain('<script>');
  });
});

describe('what it does', () => {
  test('finds by every word, also among the folded, and folds again', async () => {
    const page = await open(BROKEN);
    await page.locator('#search').fill('batch-2 gran');
    expect(await visibleRows(page)).toEqual(['granite']);
    expect(await page.locator('#found').textContent()).toBe('1 found');
    await page.locator('#search').fill('');
    expect(await visibleRows(page)).toEqual(['juniper', 'lumen']);
    await page.getByLabel('on target 10').check();
    expect(await visibleRows(page)).toHaveLength(10);
    await page.getByLabel('not proven 2').check();
    expect(await visibleRows(page)).toEqual(['juniper', 'lumen']);
  });

  test('by keys alone: every control is reached, seen and used', async () => {
    const page = await open(BROKEN);
    const reached: string[] = [];
    for (let step = 0; step < 40; step++) {
      await page.keyboard.press('Tab');
      const on = await page.evaluate<string | null>(FOCUSED);
      if (on === null) break;
      reached.push(on);
    }
    expect(reached.filter((one) => one.endsWith('UNSEEN'))).toEqual([]);
    expect(reached).toEqual(expect.arrayContaining(['Copy', '−', '+', 'Fit', 'plot', 'juniper', 'search']));
    expect(reached).toContain('10 tenants on target');
    await page.locator('body').press('/');
    await page.keyboard.type('fjord');
    expect(await visibleRows(page)).toEqual(['fjord']);
    await page.locator('#search').fill('');
    await page.locator('summary').first().focus();
    await page.keyboard.press('Enter');
    expect(await visibleRows(page)).toHaveLength(12);
  });

  test('copies a command whole', async () => {
    const page = await open(BROKEN, { permissions: ['clipboard-read', 'clipboard-write'] });
    const button = page.locator('[data-copy]').first();
    await button.click();
    await page.getByText('Copied').waitFor();
    const command = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(command).toMatch(/^fleet redeploy --environment staging .* --max-stragglers 2$/);
  });

  test('zooms around the middle, with finer times, and back', async () => {
    const page = await open(BROKEN);
    const plot = page.locator('.plot');
    const width = () => plot.evaluate((box) => box.scrollWidth / box.clientWidth);
    const times = () => page.locator('.ticks text:visible').count();
    const before = await times();
    await page.getByLabel('Zoom in').click();
    await page.getByLabel('Zoom in').click();
    expect(await width()).toBe(4);
    expect(await plot.evaluate((box) => box.scrollLeft)).toBeGreaterThan(0);
    expect(await times()).toBeGreaterThan(before);
    await page.getByText('Fit').click();
    expect(await width()).toBe(1);
  });

  test('a name in the picture leads to its row, also where that is folded', async () => {
    const page = await open(BROKEN);
    await page.locator('.names').getByText('harbor').click();
    expect(await page.locator('tr:target th').textContent()).toBe('harbor');
    expect(await visibleRows(page)).toContain('harbor');
  });
});

describe('for everybody', () => {
  test.each(['light', 'dark'] as const)('no barrier that axe knows of, in %s', async (colorScheme) => {
    for (const given of [
      BROKEN,
      { ...MANY, tenants: 70 },
      { tenants: 3, options: { hold: 'true' } },
    ] as Play[]) {
      const page = await open(given, { colorScheme, bypassCSP: true, viewport: { width: 500, height: 900 } });
      await page.locator('details').evaluateAll((all) => all.map((one) => one.setAttribute('open', '')));
      await page.evaluate(AXE);
      const found = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
      expect(found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    }
  });

  test('on paper: dark text on white, the picture whole, no control', async () => {
    const page = await open(BROKEN, { colorScheme: 'dark' });
    await page.getByLabel('Zoom in').click();
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(27, 31, 36)');
    for (const control of await page.locator('[data-script]').all())
      expect(await control.isVisible()).toBe(false);
    const box = await page.locator('.plot').boundingBox();
    const plot = await page.locator('#plot').boundingBox();
    expect(Math.round(plot?.width ?? 0)).toBe(Math.round(box?.width ?? 1));
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length).toBeLessThanOrEqual(3);
  });

  test('of 5,000 tenants: opens, finds and unfolds', async () => {
    const page = await open({
      tenants: 5_000,
      stuck: [slugAt(4_000)],
      options: { batchSize: 50, maxStragglers: 1 },
    });
    const opened = await page.evaluate<number>("performance.getEntriesByType('navigation')[0].loadEventEnd");
    console.log(`5,000 tenants: ${Math.round(opened)} ms to open`);
    expect(opened).toBeLessThan(10_000);
    expect(await page.locator('.tenants tbody tr').count()).toBe(5_000);
    await page.locator('#search').fill(slugAt(4_321));
    expect(await visibleRows(page)).toEqual([slugAt(4_321)]);
  });
});

interface Violation {
  id: string;
  nodes: { html: string }[];
}
