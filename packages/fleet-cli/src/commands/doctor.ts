/** `fleet doctor`: what a deploy from here would need, and what mends it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { examine } from '@tenant-fleet/fleet-core/program';
import { renderDoctor } from '@tenant-fleet/fleet-core/render';
import { givenOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { newestVersion } from '../newest.js';
import { Terminal } from '../terminal/console.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

export interface DoctorFlags extends OutputFlags {
  checkUpgrade?: boolean;
}

export async function runDoctor(
  flags: Layers['flags'],
  output: DoctorFlags,
  version: string,
): Promise<number> {
  const terminal = new Terminal(output);
  const given = await givenOf(flags);
  const git = await promisify(execFile)('git', ['--version']).catch(() => null);
  const machine = {
    node: process.versions.node,
    git: git && (/\d+(?:\.\d+)+/.exec(git.stdout)?.[0] ?? 'of an unknown version'),
    // Nobody but a person who asked is told: a job goes by its pin.
    ...(output.checkUpgrade && process.stdout.isTTY && !process.env.CI && !output.json
      ? { fleet: { own: version, newest: await newestVersion() } }
      : {}),
  };
  return interruptible(
    terminal,
    async (signal) => {
      try {
        const report = await examine(given, machine, { signal });
        if (output.json) terminal.document(report);
        else for (const { text, tone } of renderDoctor(report)) terminal.line('stdout', text, tone);
        return report.exit_code;
      } catch (error) {
        if (signal.aborted) return exitCodeOfSignal(signal.reason);
        throw error;
      }
    },
    { says: null },
  );
}
