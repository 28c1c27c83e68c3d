/** Stage 5: rolls the waves, each proven before the next. */

import { type BatchPolicy, tenantsOf } from '../config/batch.js';
import { sleep } from '../io/sleep.js';
import { batchesOf, type Wave } from '../plan/plan.js';
import type { KeptTenant } from '../verify/ledger.js';
import { type RollTools, roll } from './roll.js';
import { SINGLE_CALL } from './rows.js';

export interface RolloutPolicy extends BatchPolicy {
  canary: string | null;
  /** How long the canary is watched before anybody else is rolled. */
  soakMs: number;
  /** Budget of one tenant to prove itself after its roll. */
  settleBudgetMs: number;
  /** Tenants that may stay unproven in the whole rollout, the canary never. */
  maxStragglers: number;
}

export interface Rollout {
  tools: RollTools;
  policy: RolloutPolicy;
  /** Asked before every wave; rejects where the run may not go on (kill switch, newer commit). */
  mayGoOn: () => Promise<void>;
  /** Tells those who wait what is being done. @param lastsMs How long it may last, where that is known. */
  doing: (step: string, lastsMs?: number) => void;
  /** Does a wave, unless an earlier process of this run has. */
  step: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** What an earlier process of this run left half done; null where there was none. */
  left: Left | null;
}

export interface Left {
  /** Tenants that it may have rolled without seeing the end of it. */
  rolled: string[];
  /** Tenants whose answer on target is no proof that they were rolled. */
  doubted: string[];
}

/** What a wave came to. */
interface Done {
  unproven: string[];
  tenants: KeptTenant[];
}

export interface Halt {
  phase: string;
  /** Tenants of the halting wave that are not proven. */
  unproven: string[];
  /** Tenants whose turn never came. */
  notRolled: string[];
}

/** Between looks at a soaking canary. */
const SOAK_LOOK_MS = 10_000;

/**
 * Rolls canary and batches by scoped calls.
 *
 * @returns Where it halted, or null after the last wave.
 */
export async function rollScoped(rollout: Rollout, waves: Wave[]): Promise<Halt | null> {
  const { tools, policy } = rollout;
  const { context, ledger } = tools;
  const { clock, emit } = context;
  let all = waves;
  for (let index = 0; index < all.length; index++) {
    const wave = all[index] as Wave;
    const { phase, slugs } = wave;
    const place = { wave: index + 1, waves: all.length };
    const haltsBy = (open: string[]) => {
      // The tolerance counts over the whole rollout, tenants of earlier runs and waves included.
      const tooMany = ledger.stragglers(rolledSoFar(all, index)).length > policy.maxStragglers;
      return (phase === 'canary' && open.length > 0) || (ledger.stragglers(slugs).length > 0 && tooMany);
    };
    let started: number | null = null;
    const { unproven, tenants } = await rollout.step(phase, async (): Promise<Done> => {
      await rollout.mayGoOn();
      started = clock.monotonic();
      let open = wave.soak_only ? [] : await rollWave(rollout, wave, place);
      if (phase === 'canary' && !open.length && policy.soakMs > 0)
        open = await soak(rollout, slugs[0] as string);
      if (open.length) emit({ code: 'wave.unproven', phase, stragglers: open, tolerated: !haltsBy(open) });
      else emit({ code: 'wave.proven', phase, slugs, duration_ms: clock.monotonic() - started });
      return { unproven: open, tenants: ledger.keep(slugs) };
    });
    if (started === null) ledger.restore(tenants);
    else await tools.keep();
    if (haltsBy(unproven)) {
      return { phase, unproven, notRolled: all.slice(index + 1).flatMap((later) => later.slugs) };
    }
    if (unproven.length && policy.batchGrowth > 1) all = smallAgain(all, index, ledger.slugs.length, policy);
  }
  return null;
}

/** @returns Its tenants that are not proven. */
async function rollWave(
  rollout: Rollout,
  { phase, slugs }: Wave,
  { wave, waves }: { wave: number; waves: number },
): Promise<string[]> {
  const place = `${wave} of ${waves}`;
  const step = `rolling ${phase} (${place}): ${slugs.join(', ')}`;
  rollout.doing(step);
  rollout.tools.context.emit({ code: 'wave.started', phase, slugs, wave, waves });
  const due = await dueStill(rollout, phase, slugs);
  const request = { only_slugs: due, canary_slug: undefined, soak_seconds: 0, batch_size: due.length };
  await roll(rollout.tools, phase, due, request, { doing: rollout.doing, step });
  rollout.doing(`verifying ${phase} (${place})`, rollout.policy.settleBudgetMs);
  return rollout.tools.verifier.prove(slugs);
}

/**
 * Looks before it acts: which tenants of a wave have to be rolled, where an earlier process of this run may have rolled
 * them already. Those get their time to come on target first.
 */
async function dueStill({ tools, left }: Rollout, phase: string, slugs: string[]): Promise<string[]> {
  if (!left) return slugs;
  const { ledger, verifier, context } = tools;
  const sent = slugs.filter((slug) => left.rolled.includes(slug));
  for (const slug of sent) ledger.startRoll(slug, phase, context.clock.monotonic());
  if (sent.length) await verifier.prove(sent, { untilQuiet: true });
  return slugs.filter((slug) => !ledger.isOnTarget(slug) || left.doubted.includes(slug));
}

/**
 * Rolls the fleet by one call: canary, soak and batches are the control plane's, but for a canary that is on target
 * already and is only watched again.
 *
 * @returns Where it halted, or null.
 */
export async function rollInOneCall(
  rollout: Rollout,
  slugs: string[],
  { whole, soaksFirst }: { whole: boolean; soaksFirst: string | undefined },
): Promise<Halt | null> {
  const { tools, policy } = rollout;
  const { ledger, verifier } = tools;
  const { emit } = tools.context;
  await rollout.mayGoOn();
  if (soaksFirst !== undefined) {
    const unproven = await soak(rollout, soaksFirst);
    if (unproven.length) return { phase: 'canary', unproven, notRolled: slugs };
    await rollout.mayGoOn();
  }
  const step = `rolling ${slugs.length} tenants in one call`;
  rollout.doing(step);
  emit({ code: 'wave.started', phase: SINGLE_CALL, slugs, wave: 1, waves: 1 });
  const due = await dueStill(rollout, SINGLE_CALL, slugs);
  const request = {
    ...(whole && due.length === slugs.length ? {} : { only_slugs: due }),
    batch_size: tenantsOf(policy.batchSize, ledger.slugs.length),
  };
  const answer = await roll(tools, SINGLE_CALL, due, request, { doing: rollout.doing, step });
  const { canary } = policy;
  if (answer === 'answered' && canary && slugs.includes(canary) && ledger.get(canary).phase !== 'canary') {
    emit({
      code: 'warning',
      reason: `the control plane did not roll ${canary} as a canary: everybody was rolled at once`,
    });
  }
  // After a lost answer the control plane may still be soaking its canary: that pause counts as progress.
  const budgetMs = policy.settleBudgetMs + (answer === 'unknown' && canary ? policy.soakMs : 0);
  const untilQuiet = answer === 'unknown';
  rollout.doing('verifying', untilQuiet ? undefined : budgetMs);
  await verifier.prove(slugs, { budgetMs, untilQuiet });
  return null;
}

/** After a wave that is not all proven the batches begin small again. */
function smallAgain(waves: Wave[], index: number, fleet: number, policy: BatchPolicy): Wave[] {
  const done = waves.slice(0, index + 1);
  const rest = waves.slice(index + 1).flatMap(({ slugs }) => slugs);
  const batches = done.filter(({ phase }) => phase !== 'canary').length;
  return [...done, ...batchesOf(rest, fleet, policy, batches + 1)];
}

function rolledSoFar(waves: Wave[], index: number): string[] {
  return waves.slice(0, index + 1).flatMap((wave) => wave.slugs);
}

/** Watches the canary for the soak, then has it prove itself once more: a regression stops the fleet. */
async function soak({ tools, policy, doing }: Rollout, slug: string): Promise<string[]> {
  const { context, ledger, verifier } = tools;
  const { clock, emit, signal } = context;
  const { soakMs } = policy;
  emit({ code: 'soak.started', slug, soak_ms: soakMs });
  doing(`watching canary ${slug}`, soakMs);
  const before = ledger.get(slug).probes;
  const end = clock.monotonic() + soakMs;
  for (let left = soakMs; left > 0; left = end - clock.monotonic()) {
    await sleep(clock, Math.min(left, SOAK_LOOK_MS), signal);
    await verifier.ask([slug]);
  }
  const unproven = ledger.isOnTarget(slug) ? [] : await verifier.prove([slug]);
  if (!unproven.length) {
    ledger.get(slug).soaked = true;
    emit({ code: 'soak.passed', slug, probes: ledger.get(slug).probes - before });
  }
  return unproven;
}
