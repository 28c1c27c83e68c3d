/** Stage 2: may this run roll the fleet at all? A gate that cannot be read is not passed. */

import { Gitea, type Read } from '../clients/gitea/gitea.js';
import type { Config } from '../config/config.js';
import { parseSwitch } from '../config/switch.js';
import { FleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import { sleep } from '../io/sleep.js';
import type { Ports } from '../ports.js';
import { oneLine } from '../text/sanitize.js';
import { imageGate } from './image.js';

export interface Gates {
  config: Config;
  ports: Ports;
  emit: Emit;
  signal: AbortSignal;
}

/** Events that nobody outside the project can cause. */
export const TRUSTED_EVENTS = ['push', 'schedule', 'workflow_dispatch', 'release'];
const POLL_MS = 15_000;

export type Gate = [name: string, check: () => Promise<string>];

/**
 * Passes every configured gate, or rejects with the reason. Awaits required checks that are pending or missing, and an
 * image that is not there yet.
 *
 * In a dry run every gate is shown and none is obeyed.
 *
 * @throws FleetError with outcome `refused`, `held` or `superseded`.
 */
export async function passGates(io: Gates): Promise<void> {
  const { event } = io.config.trigger;
  const gates: Gate[] = event === undefined ? [] : [['event', async () => checkEvent(event)]];
  const { onlyBranch, branch } = io.config;
  if (event !== undefined && onlyBranch) gates.push(['branch', async () => checkBranch(branch, onlyBranch)]);
  gates.push(...switchGate(io), ...headGate(io), ...ciGate(io), ...imageGate(io));
  for (const [gate, check] of gates) {
    const detail = await pass(io, gate, check);
    if (detail !== null) io.emit({ code: 'gate.passed', gate, detail });
  }
}

/** What may have changed while the run waited for the lock; the image too, since a tag may have moved on. */
export async function passGatesAgain(io: Gates): Promise<void> {
  await recheckGates(io);
  for (const [gate, check] of imageGate(io)) await pass(io, gate, check);
}

/** The gates that may close while a roll is under way: asked again under the lock and before every wave. */
export async function recheckGates(io: Gates): Promise<void> {
  for (const [gate, check] of [...switchGate(io), ...headGate(io)]) await pass(io, gate, check);
}

/** The branch head alone, where it decides: asked again at the verdict. */
export async function recheckHead(io: Gates): Promise<void> {
  for (const [gate, check] of headGate(io)) await pass(io, gate, check);
}

/** @returns What the gate says, or null where it stopped a dry run, which goes on all the same. */
async function pass(
  { config, emit }: Gates,
  gate: string,
  check: () => Promise<string>,
): Promise<string | null> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    const outcome = error.outcome === 'held' || error.outcome === 'superseded' ? error.outcome : 'refused';
    emit({ code: 'gate.stopped', gate, outcome, reason: error.message, obeyed: !config.dryRun });
    if (!config.dryRun) throw error;
    return null;
  }
}

function switchGate(io: Gates): Gate[] {
  const { killSwitch, hold } = io.config;
  if (killSwitch) return [['kill switch', () => checkKillSwitch(io, killSwitch)]];
  return hold === null ? [] : [['hold', async () => checkHold(hold)]];
}

function headGate(io: Gates): Gate[] {
  return io.config.supersededBy === 'head' && io.config.branch
    ? [['branch head', () => checkHead(io, io.config.branch as string)]]
    : [];
}

function ciGate(io: Gates): Gate[] {
  return io.config.requireContexts.length ? [['required checks', () => awaitContexts(io)]] : [];
}

function checkEvent(event: string): string {
  if (TRUSTED_EVENTS.includes(event)) return event;
  throw refused(
    `the event ${oneLine(JSON.stringify(event), 60)} is not trusted with a deploy`,
    `deploy from ${TRUSTED_EVENTS.join(', ')}`,
  );
}

function checkBranch(branch: string | null, only: string): string {
  if (branch === only) return oneLine(only, 80);
  const found = branch ? oneLine(branch, 80) : 'a branch that CI does not name';
  throw refused(
    `only ${oneLine(only, 80)} may roll this environment, and this run is of ${found}`,
    'deploy from that branch, or change only-branch',
  );
}

function checkHold(armed: boolean): string {
  if (!armed) return 'off';
  throw held('deploys are on hold (--hold)');
}

async function checkKillSwitch(io: Gates, name: string): Promise<string> {
  const { config, emit } = io;
  // Armed by value at the start is armed, whatever the variable says.
  if (config.hold === true) checkHold(true);
  const read = await gitea(io).variable(name);
  switch (read.kind) {
    case 'absent':
      return `${name} is not set: off`;
    case 'forbidden':
      if (config.hold === null) {
        throw refused(
          `the kill switch ${name} cannot be read: GITEA_TOKEN lacks the right (HTTP 403), and --hold gave no value`,
          'pass --hold with the value of the variable, or a token of the repository owner',
        );
      }
      emit({
        code: 'warning',
        reason: `the kill switch ${name} cannot be read with this token; the value that --hold gave at the start counts: off`,
      });
      return 'off, by --hold; not readable live';
    case 'unreadable':
      throw refused(
        `the kill switch ${name} cannot be read: ${read.why}`,
        'an unread kill switch counts as armed; try again once Gitea answers',
      );
    case 'read':
      switch (parseSwitch(read.value)) {
        case 'off':
          return `${name}: off`;
        case 'armed':
          throw held(`the kill switch ${name} is armed`);
        case 'unknown':
          throw refused(
            `the kill switch ${name} has a value that is neither on nor off`,
            'set it to one of 1 true yes on disabled disable, or 0 false no off',
          );
      }
  }
}

async function checkHead(io: Gates, branch: string): Promise<string> {
  const { config } = io;
  const read = await gitea(io).branchHead(branch);
  if (read.kind !== 'read')
    throw refused(
      `the head of ${oneLine(branch, 80)} cannot be read: ${whyNot(read)}`,
      'check --branch, --repository and GITEA_TOKEN, or use --superseded-by claim',
    );
  if (config.expectedSha === null || read.value === config.expectedSha)
    return `${oneLine(branch, 80)} is at ${read.value.slice(0, 7)}`;
  throw new FleetError('SUPERSEDED', `${oneLine(branch, 80)} has moved on to ${read.value.slice(0, 7)}`, {
    outcome: 'superseded',
    hint: 'nothing to do: the run of the newer commit deploys',
  });
}

/** Waits until every required context is green. A red one ends it at once; the run's own deadline bounds it. */
async function awaitContexts(io: Gates): Promise<string> {
  const { config, ports, emit } = io;
  const { expectedSha, requireContexts } = config;
  if (expectedSha === null) throw refused('required checks need an expected commit', 'give --expected-sha');
  const started = ports.clock.monotonic();
  let shown = '';
  for (;;) {
    const read = await gitea(io).statuses(expectedSha);
    if (read.kind !== 'read')
      throw refused(
        `the checks of ${expectedSha.slice(0, 7)} cannot be read: ${whyNot(read)}`,
        'check --repository and GITEA_TOKEN',
      );
    const pending: string[] = [];
    for (const context of requireContexts) {
      const row = read.value.get(context);
      const state = row?.status ?? row?.state ?? 'missing';
      // A cancelled run is written as a failure, and may never have run at all.
      const cancelled = row?.description?.trim() === 'Has been cancelled';
      if ((state === 'failure' || state === 'error') && !cancelled) {
        throw refused(
          `the required check ${oneLine(context, 120)} is red on ${expectedSha.slice(0, 7)}`,
          'fix the check, or run it again; then run this again',
        );
      }
      if (state !== 'success')
        pending.push(`${oneLine(context, 120)} (${cancelled ? 'cancelled' : oneLine(state, 20)})`);
    }
    if (!pending.length) return `${requireContexts.length} green on ${expectedSha.slice(0, 7)}`;
    if (config.dryRun) throw refused(`required checks are not green yet: ${pending.join(', ')}`);
    const news = pending.join();
    if (news !== shown) {
      shown = news;
      emit({
        code: 'gate.waiting',
        gate: 'required checks',
        pending,
        waited_ms: ports.clock.monotonic() - started,
      });
    }
    try {
      await sleep(ports.clock, POLL_MS, io.signal);
    } catch (reason) {
      if (!(reason instanceof FleetError) || reason.code !== 'TIMEOUT') throw reason;
      throw refused(
        `the time ran out waiting for required checks: ${pending.join(', ')}`,
        'raise --timeout, or look why these checks do not end',
      );
    }
  }
}

function gitea({ config, ports, signal }: Gates): Gitea {
  if (!config.gitea) throw new FleetError('INTERNAL', 'a gate needs Gitea, and none is configured');
  return new Gitea({ ...config.gitea, http: ports.http, signal });
}

const whyNot = (read: Exclude<Read<unknown>, { kind: 'read' }>) =>
  read.kind === 'unreadable'
    ? read.why
    : read.kind === 'absent'
      ? 'not found (HTTP 404)'
      : 'the token lacks the right (HTTP 403)';

const refused = (message: string, hint?: string) =>
  new FleetError('GATE_REFUSED', message, { outcome: 'refused', hint });
const held = (message: string) =>
  new FleetError('HELD', message, {
    outcome: 'held',
    hint: 'nothing is rolled until it is lifted; then run the same command again',
  });
