/** Stage 5: rolls the waves, each proven before the next. */

import type { Calls } from '../clients/control-plane/redeploy.js';
import { sleep } from '../io/sleep.js';
import type { Wave } from '../plan/plan.js';
import { type Verification, verifyTenants } from '../verify/verify.js';
import { roll } from './roll.js';
import { SINGLE_CALL } from './rows.js';

export interface Rollout extends Calls, Verification {
  /** Asked before every wave; rejects where the run may not go on (kill switch, newer commit). */
  mayGoOn: () => Promise<void>;
  /** Tells those who wait for the lock what is being done. */
  doing: (step: string) => void;
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
export async function rollScoped(io: Rollout, waves: Wave[]): Promise<Halt | null> {
  const { config, ledger, emit, ports } = io;
  for (const [index, wave] of waves.entries()) {
    await io.mayGoOn();
    const started = ports.clock.monotonic();
    const { phase, slugs } = wave;
    io.doing(`rolling ${phase} (${index + 1} of ${waves.length}): ${slugs.join(', ')}`);
    emit({ code: 'wave.started', phase, slugs, wave: index + 1, waves: waves.length });
    await roll(io, phase, slugs, {
      only_slugs: slugs,
      canary_slug: undefined,
      soak_seconds: 0,
      batch_size: slugs.length,
    });
    io.doing(`verifying ${phase} (${index + 1} of ${waves.length})`);
    let unproven = await verifyTenants(io, slugs, config.settleBudgetMs);
    if (phase === 'canary' && !unproven.length && config.soakMs > 0)
      unproven = await soak(io, slugs[0] as string);

    const canaryFailed = phase === 'canary' && unproven.length > 0;
    // The tolerance counts over the whole rollout, tenants of earlier runs and waves included.
    const tooMany = ledger.stragglers(rolledSoFar(waves, index)).length > config.maxStragglers;
    const halts = canaryFailed || (ledger.stragglers(slugs).length > 0 && tooMany);
    if (unproven.length) emit({ code: 'wave.unproven', phase, stragglers: unproven, tolerated: !halts });
    else emit({ code: 'wave.proven', phase, slugs, duration_ms: ports.clock.monotonic() - started });
    if (halts) {
      return { phase, unproven, notRolled: waves.slice(index + 1).flatMap((later) => later.slugs) };
    }
  }
  return null;
}

/** Rolls the fleet by one call: canary, soak and batches are the control plane's. */
export async function rollInOneCall(io: Rollout, slugs: string[], whole: boolean): Promise<void> {
  const { config, emit } = io;
  await io.mayGoOn();
  io.doing(`rolling ${slugs.length} tenants in one call`);
  emit({ code: 'wave.started', phase: SINGLE_CALL, slugs, wave: 1, waves: 1 });
  const answer = await roll(io, SINGLE_CALL, slugs, whole ? {} : { only_slugs: slugs });
  const { canary } = config;
  if (answer === 'answered' && canary && slugs.includes(canary) && io.ledger.get(canary).phase !== 'canary') {
    emit({
      code: 'warning',
      reason: `the control plane did not roll ${canary} as a canary: everybody was rolled at once`,
    });
  }
  io.doing('verifying');
  // After a lost answer the control plane may still be soaking its canary: that pause counts as progress.
  const budget = config.settleBudgetMs + (answer === 'unknown' && config.canary ? config.soakMs : 0);
  await verifyTenants(io, slugs, budget, answer === 'unknown');
}

function rolledSoFar(waves: Wave[], index: number): string[] {
  return waves.slice(0, index + 1).flatMap((wave) => wave.slugs);
}

/** Watches the canary for the soak, then has it prove itself once more: a regression stops the fleet. */
async function soak(io: Rollout, slug: string): Promise<string[]> {
  const { config, emit, ports, ledger } = io;
  emit({ code: 'soak.started', slug, soak_ms: config.soakMs });
  io.doing(`watching canary ${slug}`);
  const before = ledger.get(slug).probes;
  const end = ports.clock.monotonic() + config.soakMs;
  for (let left = config.soakMs; left > 0; left = end - ports.clock.monotonic()) {
    await sleep(ports.clock, Math.min(left, SOAK_LOOK_MS), io.signal);
    await verifyTenants(io, [slug], 0);
  }
  const unproven = ledger.isOnTarget(slug) ? [] : await verifyTenants(io, [slug], config.settleBudgetMs);
  if (!unproven.length) emit({ code: 'soak.passed', slug, probes: ledger.get(slug).probes - before });
  return unproven;
}
