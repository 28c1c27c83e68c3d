/** Holds a control plane against the contract. */
import {
  type ConformanceReport,
  type FleetOptions,
  renderCase,
  renderConformance,
  renderJunit,
  runConformance,
} from '@tenant-fleet/fleet-conformance';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { shaSchema, targetTagSchema } from '@tenant-fleet/fleet-core/contract';
import { tenantUrlProblem, usageError } from '@tenant-fleet/fleet-core/program';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { checkWritable, writeWhole } from '../terminal/report-files.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

export interface ConformanceFlags extends OutputFlags {
  full?: boolean;
  tenantUrl?: string;
  targetTag?: string;
  expectedSha?: string;
  junit?: string;
}

const TONES = { passed: 'good', missed: 'bad', skipped: 'quiet' } as const;

/** Never a group of a fleet, unless it is named on the command line. */
const SCRATCH = 'conformance';

/** @throws FleetError `USAGE` before any request; `CP_*`. */
export async function runConformanceCommand(
  url: string | undefined,
  typed: Layers['flags'],
  output: ConformanceFlags,
): Promise<number> {
  const named = typed['lock-group'] as string | undefined;
  const fleet = scratchFleet(output, named);
  if (output.junit !== undefined) await checkWritable('--junit', output.junit);
  const address = url ?? typed['control-plane'];
  const config = await configOf('lock', {
    ...typed,
    'lock-group': named ?? SCRATCH,
    ...(address && { 'control-plane': address, 'lock-url': address }),
  });
  const { lock } = config;
  if (!lock) throw usageError('--control-plane is missing', { option: '--control-plane' });
  const terminal = new Terminal(output);
  return interruptible(
    terminal,
    async (signal) => {
      const report = await runConformance({
        ...{ url: lock.url, token: lock.token, signal },
        ...(fleet ? { fleet } : named !== undefined && { lockGroup: named }),
      }).catch((error) => {
        if (!signal.aborted) throw error;
      });
      if (!report) return exitCodeOfSignal(signal.reason);
      if (output.junit !== undefined) await writeWhole(output.junit, renderJunit(report));
      show(report, output, terminal);
      return report.conforms ? 0 : 1;
    },
    { says: null },
  );
}

/** What `--full` may roll; undefined in safe mode. */
function scratchFleet(output: ConformanceFlags, lockGroup: string | undefined): FleetOptions | undefined {
  const { full, tenantUrl, targetTag, expectedSha } = output;
  const rolls = Object.entries({ tenantUrl, targetTag, expectedSha }).filter(
    ([, value]) => value !== undefined,
  );
  if (!full) {
    if (rolls.length === 0) return undefined;
    throw usageError('--tenant-url, --target-tag and --expected-sha are for --full', {
      next: 'without --full nothing is rolled',
    });
  }
  if (!lockGroup || !tenantUrl || !targetTag || !expectedSha) {
    throw usageError('--full needs --lock-group, --tenant-url, --target-tag and --expected-sha', {
      next: 'it rolls the tenants of that fleet: name one that nobody uses',
    });
  }
  const problem = tenantUrlProblem(tenantUrl);
  if (problem) throw usageError(`--tenant-url ${problem[0]}`, { option: '--tenant-url' });
  if (!targetTagSchema.safeParse(targetTag).success) throw usageError('--target-tag is no image tag', {});
  const sha = shaSchema.safeParse(expectedSha);
  if (!sha.success) throw usageError('--expected-sha must be a full 40-hex commit id', {});
  return { lockGroup, tenantUrl, targetTag, expectedSha: sha.data };
}

function show(report: ConformanceReport, output: ConformanceFlags, terminal: Terminal): void {
  if (output.json) {
    terminal.document(report);
    return;
  }
  for (const one of report.cases) {
    if (output.quiet && one.status !== 'missed') continue;
    const tone = TONES[one.status];
    const [first = '', ...rest] = renderCase(one);
    terminal.line('stdout', first, tone);
    for (const line of rest) terminal.line('stdout', line);
  }
  terminal.line('stdout', renderConformance(report), report.conforms ? 'good' : 'bad');
}
