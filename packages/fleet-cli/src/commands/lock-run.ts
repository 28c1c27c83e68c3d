/** `fleet lock run`: any command under the lock of a fleet. */

import { once } from 'node:events';
import { basename } from 'node:path';
import type { FleetEvent, Lease } from '@tenant-fleet/fleet-core';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import {
  holdLock,
  isLeaseInherited,
  killInMs,
  leaseEnv,
  oneLine,
  systemPorts,
  usageError,
} from '@tenant-fleet/fleet-core/program';
import { renderEvent, toneOf } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { ChildGroup } from '../process/child-group.js';
import { environment, LentLease } from '../process/lent-lease.js';
import { telemetryOf } from '../telemetry.js';
import { Terminal } from '../terminal/console.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

/** @throws FleetError what {@link holdLock} throws; `LOCK_LOST` once the command is gone. */
export async function runUnderLock(
  flags: Layers['flags'],
  output: OutputFlags & { passTokens?: boolean },
  command: readonly string[],
): Promise<number> {
  if (!command[0]) {
    throw usageError('no command is given', { next: 'write fleet lock run [flags] -- CMD ARGS...' });
  }
  if (process.platform === 'win32')
    throw usageError('fleet lock run ends a command by its process group, and Windows has none', {
      next: 'run it inside WSL',
    });
  const terminal = new Terminal(output);
  const config = await configOf('lock run', flags);
  const telemetry = await telemetryOf(config, 'fleet lock run', terminal);
  const emit = (event: FleetEvent) => {
    telemetry?.follow(event);
    const line = output.quiet ? null : renderEvent(event, output);
    if (line !== null) terminal.line('stderr', line, toneOf(event));
  };
  const start = (lease: Lease | null, childEnv: NodeJS.ProcessEnv) => {
    child = new ChildGroup(command, { ...childEnv, ...telemetry?.childEnv }, lease);
    return child;
  };
  let child: ChildGroup | undefined;

  const ended = interruptible(
    terminal,
    async (signal) => {
      signal.addEventListener('abort', () => child?.kill(signal.reason));
      try {
        const inherited = await isLeaseInherited(config, { signal });
        if (inherited) return await start(null, process.env).ended;
        const work = async (lease: Lease) => {
          // Arguments may hold secrets, and everybody who waits is shown this.
          lease.step = `running ${oneLine(basename(`${command[0]}`), 100)}`;
          const lent = await LentLease.open(await environment(), lease.session);
          try {
            const own = lent.childEnv(process.env, output.passTokens ?? false);
            signal.throwIfAborted();
            return await underLease(lease, lent, () => start(lease, { ...own, ...leaseEnv(lease) }));
          } finally {
            lent.close();
          }
        };
        const ports = { emit, ...(telemetry ? { http: telemetry.traced(systemPorts().http) } : {}) };
        return await holdLock(config, work, { ports, signal });
      } catch (error) {
        if (signal.aborted && error === signal.reason) return exitCodeOfSignal(signal.reason);
        throw error;
      } finally {
        if (child?.problem) {
          terminal.error(`${oneLine(`${command[0]}`)} could not be started (${child.problem})`);
        }
      }
    },
    {
      says: 'ending the command and giving the lock back; once more kills it',
      again: () => child?.kill('SIGKILL'),
    },
  );
  await ended.then(
    (exitCode) => telemetry?.end(exitCode),
    () => telemetry?.end(1),
  );
  return ended;
}

/** Runs the command to its end, and ends it where the lease is lost. */
async function underLease(lease: Lease, lent: LentLease, start: () => ChildGroup): Promise<number> {
  lease.signal.throwIfAborted();
  const child = start();
  let timer: NodeJS.Timeout | undefined;
  const lose = () => {
    lent.close();
    child.kill('SIGTERM');
    timer = setTimeout(() => child.kill('SIGKILL'), killInMs(lease));
  };
  lease.signal.addEventListener('abort', lose);
  // A stopped process renews nothing while its command goes on.
  const stay = () => {};
  process.on('SIGTSTP', stay);
  try {
    const code = await child.ended;
    // After standing still the end of the command may be told before the end of the lease.
    if (lease.usableForMs <= 0 && !lease.signal.aborted) await once(lease.signal, 'abort');
    lease.signal.throwIfAborted();
    return code;
  } finally {
    clearTimeout(timer);
    process.off('SIGTSTP', stay);
    lease.signal.removeEventListener('abort', lose);
  }
}
