/** What a person does to a lock: break it, freeze it, lift the freeze. */
import { hostname, userInfo } from 'node:os';
import {
  breakLock,
  type Config,
  type Deed,
  deedOf,
  freezeEnd,
  freezeLock,
  holdToBreak,
  type Layers,
  loadConfig,
  oneLine,
  readLock,
  renderLockStatus,
  systemPorts,
  unfreezeLock,
  usageError,
} from '@tenant-fleet/fleet-core';
import { Terminal } from '../terminal/console.js';
import { confirm, isPersonThere } from '../terminal/prompt.js';
import { interruptible } from '../terminal/signals.js';
import type { OutputFlags } from './run.js';

interface DeedFlags extends OutputFlags {
  reason?: string;
}

export async function runLockBreak(
  flags: Layers['flags'],
  output: DeedFlags & { fencingToken?: string; confirmAlive?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  const fencingToken = output.fencingToken === undefined ? undefined : tokenOf(output.fencingToken);
  const { config, deed } = await prepare(flags, output);
  const asks = !output.yes;
  if (asks && !isPersonThere()) {
    throw usageError('--yes is missing: nobody is here to be asked', {
      option: '--yes',
      hint: 'look with fleet lock status, then say --yes --fencing-token N',
    });
  }
  return interruptible(
    terminal,
    async (signal) => {
      const alive = output.confirmAlive ?? false;
      const status = await readLock(config, { signal });
      for (const line of renderLockStatus(status)) terminal.line('stderr', line);
      const held = holdToBreak(status, { fencingToken, alive });
      if (!held) {
        terminal.line('stdout', `Nobody holds the lock ${status.group}: nothing was broken.`);
        return 0;
      }
      const what = `the hold of ${oneLine(held.holder.name)} (fencing token ${held.fencing_token})`;
      const declined = asks && (await confirm(`Break ${what}?`, 'nothing was broken', terminal, signal));
      if (declined) return declined;
      await breakLock(config, held.fencing_token, deed, alive, { signal });
      terminal.line('stdout', `Lock ${status.group}: broke ${what}.`);
      return 0;
    },
    { says: null },
  );
}

export async function runLockFreeze(
  flags: Layers['flags'],
  output: DeedFlags & { for?: string; until?: string },
): Promise<number> {
  const until = freezeEnd(output, Date.now());
  const { config, deed } = await prepare(flags, output);
  const end = until ? `until ${until}` : 'until fleet lock unfreeze';
  return act(output, async (signal) => {
    await freezeLock(config, { ...deed, ...(until ? { until } : {}) }, { signal });
    return `Lock ${config.lock?.group}: frozen ${end}. Whoever holds it keeps it; nobody else is granted it.`;
  });
}

export async function runLockUnfreeze(flags: Layers['flags'], output: DeedFlags): Promise<number> {
  const { config, deed } = await prepare(flags, output);
  return act(output, async (signal) => {
    await unfreezeLock(config, deed, { signal });
    return `Lock ${config.lock?.group}: not frozen any more.`;
  });
}

async function act(output: OutputFlags, deed: (signal: AbortSignal) => Promise<string>): Promise<number> {
  const terminal = new Terminal(output);
  return interruptible(
    terminal,
    async (signal) => {
      terminal.line('stdout', await deed(signal));
      return 0;
    },
    { says: null },
  );
}

async function prepare(
  flags: Layers['flags'],
  { reason }: DeedFlags,
): Promise<{ config: Config; deed: Deed }> {
  const config = await loadConfig('lock', { flags, env: process.env }, systemPorts());
  return { config, deed: deedOf(config, reason, { user: userName(), host: hostname() }) };
}

/** Containers run under numbers that no name belongs to. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || `uid ${process.getuid?.()}`;
  }
}

function tokenOf(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw usageError(`--fencing-token: ${JSON.stringify(text.slice(0, 20))} is not a fencing token`, {
    option: '--fencing-token',
    hint: 'fleet lock status shows it',
  });
}
