// Ratios side by side in one run: ours, the shell loop that this tool replaces, the bare floor.
import { spawnSync } from 'node:child_process';
import { CLI, here, medians, peakMiB, ratio, table, tenants, timeOf } from './measure.mjs';
import { TARGET } from './tenants.mjs';

for (const tool of ['curl', 'jq', 'awk']) {
  if (spawnSync(tool, ['--version']).error) {
    console.error(
      `error: the shell loop that fleet is measured against needs ${tool}, which is not installed`,
    );
    process.exit(2);
  }
}
const quick = process.argv.includes('--quick');

const verify = (fleet, budget) => [
  CLI,
  'verify',
  '--quiet',
  ...['--tenant-url', `${fleet.prefix}/{slug}`, '--expected-sha', TARGET, '--settle-budget', `${budget}ms`],
  ...fleet.slugs.flatMap((slug) => ['--tenant', slug]),
];
const shell = (fleet, budget) => [
  here('./shell-loop.sh'),
  ...[fleet.prefix, TARGET, String(budget / 1000), String(budget / 12_000)],
  ...fleet.slugs,
];
const bare = (fleet) => [here('./bare-undici.mjs'), fleet.prefix, TARGET, ...fleet.slugs];

const DELAY_MS = 20;
const onTarget = [];
for (const count of quick ? [12] : [12, 100]) {
  const fleet = await tenants(count, 0, DELAY_MS);
  const time = medians(
    {
      fleet: () => timeOf(process.execPath, verify(fleet, 3000)),
      shell: () => timeOf('bash', shell(fleet, 3000)),
      bare: () => timeOf(process.execPath, bare(fleet)),
    },
    quick ? 3 : 7,
  );
  const memory = peakMiB(verify(fleet, 3000)) / peakMiB(bare(fleet));
  onTarget.push([
    count,
    ...['fleet', 'shell', 'bare'].map((name) => `${time[name].toFixed(0)} ms`),
    ratio(time.fleet, time.shell),
    ratio(time.fleet, time.bare),
    memory.toFixed(2),
  ]);
  await fleet.stop();
}
table(
  `N tenants already on target, each answering after ${DELAY_MS} ms: whole process, median`,
  ['N', 'fleet verify', 'shell loop', 'bare undici', 'fleet / shell', 'fleet / bare', 'memory: fleet / bare'],
  onTarget,
);

const BUDGET_MS = 2000;
const stuckRows = [];
for (const stuck of quick ? [2] : [1, 3, 6]) {
  const fleet = await tenants(30, stuck, 0);
  const ours = timeOf(process.execPath, verify(fleet, BUDGET_MS), [1]) / BUDGET_MS;
  const theirs = timeOf('bash', shell(fleet, BUDGET_MS), [1]) / BUDGET_MS;
  stuckRows.push([stuck, ours.toFixed(2), theirs.toFixed(2)]);
  await fleet.stop();
}
table(
  `k of 30 tenants stuck: time in settle budgets (of ${BUDGET_MS} ms)`,
  ['k', 'fleet verify', 'shell loop'],
  stuckRows,
);

const start = medians(
  {
    fleet: () => timeOf(process.execPath, [CLI, '--version']),
    node: () => timeOf(process.execPath, ['-e', '0']),
  },
  quick ? 5 : 21,
);
table(
  'Start-up: median',
  ['fleet --version', 'bare node -e 0', 'fleet / node'],
  [[`${start.fleet.toFixed(0)} ms`, `${start.node.toFixed(0)} ms`, ratio(start.fleet, start.node)]],
);
