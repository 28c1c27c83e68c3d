/**
 * Rolls twelve simulated tenants in a terminal, two of which stay behind, and keeps what was seen: docs/terminal.svg and
 * docs/report.png. Build first. Needs what `.ci/needs.sh chromium tmux` installs.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '@tenant-fleet/browser';
import { startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { recording } from './recording.mjs';

const COLUMNS = 80;
const ROWS = 24;
const SHA = '4f2c1a9be07d4c6f8a35e2d1b09c7f6e5d4a3b2c';
const TAG = 'staging-4f2c1a9';
const OLD = { image_tag: 'staging-b81d0e7', git_sha: 'b81d0e7c52f94a1680dd3e7f41a2c95b6e08d7f3' };
const STUCK = ['juniper', 'lumen'];
const TENANTS = 'acme birch cobalt dunes ember fjord granite harbor indigo juniper kestrel lumen'.split(' ');
const token = 'token-of-the-pictures-only';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const cli = join(fileURLToPath(new URL('../../packages/fleet-cli/dist/', import.meta.url)), 'cli.js');
const folder = mkdtempSync(join(tmpdir(), 'fleet-pictures-'));
const tmux = (...args) => execFileSync('tmux', ['-S', join(folder, 'socket'), ...args], { encoding: 'utf8' });

const tenants = TENANTS.map((slug, index) => ({
  ...{ slug, roll_ms: 500 + ((index * 137) % 700), drain_ms: 700 + ((index * 311) % 2_600) },
  ...(STUCK.includes(slug) ? { behaviour: 'stuck' } : {}),
}));
const plane = await startControlPlane({ token, fleet: { initial: OLD, images: { [TAG]: SHA }, tenants } });
try {
  writeFileSync(
    join(folder, 'fleet.config.yaml'),
    `environments:
  staging:
    control-plane: ${plane.url}
    tenant-url: ${plane.tenantUrlTemplate}
    canary: acme
    soak: 3s
    batch-size: 4
    settle-budget: 6s
    lock-ttl: 6s
    timeout: 5m
`,
  );
  writeFileSync(
    join(folder, 'rc'),
    `unset CI GITHUB_ACTIONS; export LC_ALL=C.UTF-8 GITHUB_ACTOR=ann FLEET_CP_TOKEN=${token} PS1='$ '
cd ${folder}; fleet() { ${process.execPath} ${cli} "$@" --report-html report.html; }; clear
`,
  );
  await record();
  await photograph();
} finally {
  await plane.close();
  rmSync(folder, { recursive: true, force: true });
}

async function record() {
  const size = ['-x', `${COLUMNS}`, '-y', `${ROWS}`];
  tmux('-u', '-f', '/dev/null', 'new-session', '-d', ...size, `bash --rcfile ${join(folder, 'rc')}`);
  try {
    await setTimeout(1_000);
    const command = `fleet redeploy --environment staging --target-tag ${TAG} \\\\\n  --expected-sha ${SHA} --yes; touch done`;
    const shown = command.replace('\\\\', '\\').replace('; touch done', '');
    tmux('send-keys', '-l', `clear; ${command.replace('\\\\\n ', '')}`);
    tmux('send-keys', 'Enter');
    const frames = [];
    const start = performance.now();
    for (let over = false; !over; await setTimeout(250)) {
      over = isThere(join(folder, 'done'));
      const lines = tmux('capture-pane', '-p', '-e').trimEnd().split('\n');
      // The prompt that comes back is no part of the run.
      frames.push({ at: performance.now() - start, lines: lines.filter((line) => line.trim() !== '$') });
    }
    writeFileSync(
      join(docs, 'terminal.svg'),
      recording(frames, { columns: COLUMNS, rows: ROWS, command: shown }),
    );
  } finally {
    tmux('kill-server');
  }
}

/** The first screen of the page: what somebody sees who opens it. */
async function photograph() {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
    await page.goto(`file://${join(folder, 'report.html')}`);
    const bottom = await page.locator('.legend').evaluate((legend) => legend.getBoundingClientRect().bottom);
    const clip = { x: 0, y: 0, width: 1000, height: Math.ceil(bottom) + 12 };
    await page.screenshot({ path: join(docs, 'report.png'), fullPage: true, clip });
  } finally {
    await browser.close();
  }
}

function isThere(file) {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
