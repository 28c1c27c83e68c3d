/** What follows from what was seen of a fleet. Pure. */
import { commandLine } from '../config/command-line.js';
import type { Config } from '../config/config.js';
import { matcherOf } from '../config/glob.js';
import type { RolloutEntry } from '../contract.js';
import type { NextCommand } from '../result/result.js';
import type { CommitGroup, Known, LockSeen, RolloutSeen, TenantsSeen } from '../result/status.js';
import { nameList, shortSha } from '../text/words.js';
import type { Observation } from '../verify/probe.js';

/** Outcomes that prove a fleet. */
export const PROOFS = ['succeeded', 'succeeded_with_quarantine'] as const;

/** Whether a rollout proved the whole fleet: one of a part of it says nothing of the others. */
export function isProof({ rollout }: RolloutEntry): boolean {
  const { outcome, expected_sha: sha, scope } = rollout;
  return (PROOFS as readonly unknown[]).includes(outcome) && !!sha && !(scope && scope.tenants < scope.of);
}

/** Whether a rollout ended after it may have rolled, and without a proof: somebody has to go on with it. */
export function isUnfinished(entry: RolloutEntry): boolean {
  const { state, rollout } = entry;
  const nothingToDo = [...PROOFS, 'superseded', 'held', 'planned'] as readonly unknown[];
  return state !== 'running' && !!rollout.expected_sha && !nothingToDo.includes(rollout.outcome);
}

/**
 * Groups the tenants by what they run.
 *
 * @param seen The answers, in the order of the control plane.
 * @param tags The tag of each commit that a rollout on record brought.
 * @param proven The last proven commit; null: none is known.
 */
export function groupTenants(
  seen: ReadonlyMap<string, Observation>,
  ephemeral: readonly string[],
  tags: ReadonlyMap<string, string>,
  proven: string | null,
): TenantsSeen {
  const isEphemeral = matcherOf([...ephemeral]);
  const groups = new Map<string, string[]>();
  const unread: TenantsSeen['unread'] = [];
  for (const [slug, answer] of seen) {
    if (answer.kind === 'unreachable' || answer.kind === 'invalid') {
      unread.push({ slug, status: answer.kind, why: answer.why });
      continue;
    }
    const commit = answer.kind === 'dev' ? 'dev' : answer.sha;
    groups.set(commit, [...(groups.get(commit) ?? []), slug]);
  }
  const commits: CommitGroup[] = [...groups]
    .map(([commit, slugs]) => ({ commit, tag: tags.get(commit) ?? null, slugs }))
    .sort((one, other) => other.slugs.length - one.slugs.length);
  const [first, second] = commits;
  const majority = first && first.slugs.length > (second?.slugs.length ?? 0) ? first.commit : null;
  const off = (reference: string) =>
    commits.flatMap(({ commit, slugs }) =>
      commit === reference ? [] : slugs.filter((slug) => !isEphemeral(slug)),
    );
  return {
    listed: seen.size,
    commits,
    unread,
    ephemeral: [...seen.keys()].filter(isEphemeral),
    majority,
    off_majority: majority === null ? [] : off(majority),
    off_proven: proven === null ? null : off(proven),
  };
}

type Asked = Pick<Config, 'environment' | 'lock' | 'typed'>;

/** The one thing to type, the most urgent first; null where nothing has to be done. */
export function nextOf(
  tenants: Known<TenantsSeen>,
  lock: Known<LockSeen>,
  { proven, unfinished }: { proven: RolloutSeen | null; unfinished: RolloutSeen | null },
  asked: Asked,
): NextCommand | null {
  const values = {
    ...asked.typed,
    ...(asked.environment ? { environment: asked.environment } : {}),
    ...(asked.lock && asked.lock.group !== asked.environment ? { 'lock-group': asked.lock.group } : {}),
  };
  const watch = (why: string) => ({
    why,
    command: commandLine(['fleet', 'status'], 'status', values, ['--watch']),
  });
  if (!tenants.known) return watch('to see when the control plane can be used again');
  if (lock.known && lock.value.frozen) {
    const why = 'to lift the freeze, once its reason is gone';
    const more = ['--reason', 'it is over'];
    return { why, command: commandLine(['fleet', 'lock', 'unfreeze'], 'lock', values, more) };
  }
  if (lock.known && lock.value.held) return watch('to see the rollout that is under way end');
  if (lock.known && lock.value.draining) return watch('to see the open rolls end');
  if (unfinished) {
    const why = `to go on with the last rollout, to ${shortSha(unfinished.expected_sha)}; tenants on target are left out`;
    return { why, command: rollTo(unfinished, values) };
  }
  return forTenants(tenants.value, proven, values);
}

const rollTo = ({ target_tag, expected_sha }: RolloutSeen, values: Record<string, unknown>): string =>
  commandLine(['fleet', 'redeploy'], 'redeploy', {
    ...values,
    'target-tag': target_tag,
    'expected-sha': expected_sha,
  });

/** What brings tenants back that are off, or answer nothing. */
function forTenants(
  { off_majority, off_proven, unread, majority, ephemeral }: TenantsSeen,
  proven: RolloutSeen | null,
  values: Record<string, unknown>,
): NextCommand | null {
  const reference = proven?.expected_sha ?? majority;
  const off = off_proven ?? off_majority;
  const silent = unread.map(({ slug }) => slug).filter((slug) => !ephemeral.includes(slug));
  if (off.length && proven) {
    const why = `to bring ${nameList(off, 3)} back to the last proven commit`;
    return { why, command: rollTo(proven, values) };
  }
  if ((off.length || silent.length) && reference && reference !== 'dev') {
    const why = `to wait for ${nameList([...off, ...silent], 3)} to answer ${shortSha(reference)}`;
    const command = commandLine(['fleet', 'verify'], 'verify', { ...values, 'expected-sha': reference });
    return { why, command };
  }
  return null;
}
