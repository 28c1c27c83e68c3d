/** What a person may type after a run that ended badly: whole commands, for a shell. Pure. */

import { commandLine } from '../config/command-line.js';
import type { Config } from '../config/config.js';
import type { SettingName } from '../config/settings.js';
import type { ErrorCode } from '../errors.js';
import type { FleetResult, NextCommand } from '../result/result.js';
import { nameList } from '../text/words.js';

type Asked = Pick<Config, 'command' | 'environment' | 'targetTag' | 'expectedSha' | 'lock' | 'typed'> &
  Pick<Config, 'canary' | 'maxStragglers' | 'rollback' | 'freeze'>;
type Changes = Partial<Record<SettingName, string | number | boolean>>;

/**
 * The commands that fit the outcome, the likeliest first; none after a run that ended well.
 *
 * @param code Of the error that ended the run.
 */
export function nextCommands(result: FleetResult, asked: Asked, code?: ErrorCode): NextCommand[] {
  const goesOn = asked.command === 'verify' ? 'to ask again' : 'to go on: tenants on target are left out';
  const again = { why: goesOn, command: sameAgain(asked) };
  const look = { why: 'to see the lock and its queue', command: lockCommand(asked, 'status', ['--watch']) };
  const verify = { why: 'to see what every tenant runs', command: fleet('verify', asked, {}) };
  switch (result.outcome) {
    case 'failed':
      return [...tolerating(result, asked), again];
    case 'held':
      // A kill switch holds too, and is lifted elsewhere: the reason says where.
      return [...(code === 'LOCK_FROZEN' ? [unfreeze(asked)] : []), again];
    case 'lock_timeout':
      return [look, again];
    case 'lock_lost':
      return [look, verify, again];
    case 'interrupted':
      if (result.rollout?.detached) return attach(result, asked);
      return result.calls.some(({ kind }) => kind === 'roll') ? [verify, again] : [again];
    case 'control_plane_error':
    case 'refused':
      return result.rollout?.detached ? attach(result, asked) : [onceMended(result, again)];
    case 'handed_over':
      return attach(result, asked);
    case 'succeeded':
    case 'succeeded_with_quarantine':
      return asked.rollback ? [behindRollback(asked)] : [];
    default:
      return [];
  }
}

/** What was refused is refused again, unless what stands above it is done first. */
const onceMended = ({ next, tenants }: FleetResult, again: NextCommand): NextCommand => {
  if (!next.length) return again;
  const rolled = tenants.some(({ phase }) => phase !== null);
  return {
    ...again,
    why: `once that is mended${rolled ? ', to go on: tenants on target are left out' : ''}`,
  };
};

/** What keeps a rollback from being undone by the next push, or lets deploys go on. */
const behindRollback = (asked: Asked): NextCommand =>
  asked.freeze
    ? {
        why: 'to let deploys go on, once the fault is mended',
        command: lockCommand(asked, 'unfreeze', ['--reason', 'it is mended']),
      }
    : {
        why: 'to keep the next push from undoing this',
        command: lockCommand(asked, 'freeze', ['--reason', 'rolled back']),
      };

/** The tolerance under which this end would not have been a failure, where one could have helped. */
function tolerating(result: FleetResult, asked: Asked): NextCommand[] {
  // What was not rolled yet is no straggler: going on rolls it.
  const slugs = result.tenants
    .filter(({ status, phase }) => status !== 'on_target' && status !== 'excused' && phase !== null)
    .map(({ slug }) => slug);
  const { enumerated, excused } = result.counts;
  const helps =
    asked.command === 'redeploy' &&
    slugs.length > asked.maxStragglers &&
    slugs.length * 2 < enumerated - excused &&
    !slugs.includes(asked.canary ?? '');
  if (!helps) return [];
  return [
    {
      why: `to leave ${nameList(slugs)} behind, and call the others deployed`,
      command: fleet('redeploy', asked, { 'max-stragglers': slugs.length }),
    },
  ];
}

const attach = ({ rollout }: FleetResult, { typed, environment }: Asked): NextCommand[] => {
  if (!rollout) return [];
  const values = { ...typed, ...(environment ? { environment } : {}) };
  return [
    {
      why: 'to see how it goes on, and its verdict',
      command: commandLine(['fleet', 'rollout', 'attach', rollout.id], 'rollout', values),
    },
  ];
};

const unfreeze = (asked: Asked): NextCommand => ({
  why: 'to lift a freeze of the lock',
  command: lockCommand(asked, 'unfreeze', ['--reason', 'it is over']),
});

const sameAgain = (asked: Asked) => fleet(asked.command === 'verify' ? 'verify' : 'redeploy', asked, {});

/** A command with what was typed, what this run went by, and what is changed. */
function fleet(command: 'redeploy' | 'verify', asked: Asked, changes: Changes): string {
  const values: Record<string, unknown> = {
    ...asked.typed,
    ...(asked.environment ? { environment: asked.environment } : {}),
    ...(asked.targetTag ? { 'target-tag': asked.targetTag } : {}),
    ...(asked.expectedSha ? { 'expected-sha': asked.expectedSha } : {}),
    ...changes,
  };
  if (command === 'verify' || !asked.rollback) return commandLine(['fleet', command], command, values);
  const more = ['--to', asked.rollback.claim_id.slice(0, 8)];
  if (asked.freeze) more.push('--freeze', asked.freeze.reason);
  return commandLine(['fleet', 'rollback'], 'rollback', values, more);
}

function lockCommand({ typed, environment, lock }: Asked, verb: string, more: string[]): string {
  const values = {
    ...typed,
    ...(environment ? { environment } : {}),
    ...(lock && lock.group !== environment ? { 'lock-group': lock.group } : {}),
  };
  return commandLine(['fleet', 'lock', verb], 'lock', values, more);
}
