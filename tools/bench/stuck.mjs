// Tenants that stay on another commit, and tenants that never answer.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grossly, here, ms, quick, ratio, table, tenants, timeOf, verify } from './measure.mjs';
import { TARGET } from './tenants.mjs';

const BUDGET_MS = quick ? 2_000 : 10_000;
const allowed = [0, 1];
const ours = (fleet, ...more) =>
  timeOf(process.execPath, verify(fleet, TARGET, '--settle-budget', `${BUDGET_MS}ms`, ...more), { allowed });
const shell = (fleet) => {
  const slugs = Array.from({ length: 30 }, (_, index) => `t${index}`);
  const prefix = fleet.template.replace('/{slug}', '');
  const args = [
    here('./shell-loop.sh'),
    prefix,
    TARGET,
    String(BUDGET_MS / 1000),
    String(BUDGET_MS / 12_000),
  ];
  return timeOf('bash', [...args, ...slugs], { allowed });
};

const rows = [];
for (const stuck of quick ? [2] : [0, 1, 5, 30]) {
  const fleet = await tenants({ count: 30, stuck });
  const time = ours(fleet) / BUDGET_MS;
  rows.push([stuck, time.toFixed(2), stuck > 5 ? '-' : (shell(fleet) / BUDGET_MS).toFixed(2)]);
  grossly(`time with ${stuck} of 30 stuck, in settle budgets`, time, 1.5);
  await fleet.stop();
}
table(
  `k of 30 tenants stuck: time in settle budgets (of ${BUDGET_MS / 1000} s)`,
  ['k', 'fleet verify', 'shell loop'],
  rows,
);

/** Milliseconds after which the last of those that answer was proven, and the time of the whole run. */
function proofOf(fleet) {
  const file = join(tmpdir(), `fleet-bench-${process.pid}.ndjson`);
  const whole = ours(fleet, '--events', file, '--probe-timeout', `${BUDGET_MS}ms`);
  const events = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  rmSync(file);
  const proofs = events.filter(({ code, status }) => code === 'tenant.changed' && status === 'on_target');
  return { whole, last: Math.max(...proofs.map(({ after_ms: after }) => after)) };
}

const [count, silent] = quick ? [200, 40] : [1_000, 200];
const [holed, sound] = [await tenants({ count, silent }), await tenants({ count })];
const [with_, without] = [proofOf(holed), proofOf(sound)];
await Promise.all([holed.stop(), sound.stop()]);
table(
  `${silent} of ${count} tenants take the question and never answer`,
  [
    'time in settle budgets',
    'last proof of the others',
    'last proof where all answer',
    'later by, in settle budgets',
  ],
  [
    [
      ratio(with_.whole, BUDGET_MS),
      ...[ms(with_.last), ms(without.last)],
      ((with_.last - without.last) / BUDGET_MS).toFixed(3),
    ],
  ],
);
grossly(`time with ${silent} of ${count} that never answer, in settle budgets`, with_.whole / BUDGET_MS, 2);
