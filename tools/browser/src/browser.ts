/** Debian's Chromium, for tests of pages and for pictures of them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

export type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** Starts it so that it asks for nothing by itself. @throws Error where it is not installed. */
export async function startBrowser(): Promise<Browser> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const executablePath = folders.map((folder) => join(folder, 'chromium')).find((path) => existsSync(path));
  if (!executablePath) throw new Error('chromium is not installed: run .ci/needs.sh chromium');
  // The sandbox needs rights that a container rarely gives; only pages of our own are opened.
  const args = [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
  ];
  return chromium.launch({ executablePath, args });
}
