/** `fleet doctor`: what a deploy from here would need, and what mends it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { examine } from '@tenant-fleet/fleet-core/program';
import { renderDoctor } from '@tenant-fleet/fleet-core/render';
import { givenOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

export async function runDoctor(flags: Layers['flags'], output: OutputFlags): Promise<number> {
  const terminal = new Terminal(output);
  const given = await givenOf(flags);
  const git = await promisify(execFile)('git', ['--version']).catch(() => null);
  const machine = {
    node: process.versions.node,
    git: git && (/\d+(?:\.\d+)+/.exec(git.stdout)?.[0] ?? 'of an unknown version'),
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
