/** Stage 7a: what the run may claim. Pure; every claim is read off the ledger. */
import type { Ledger } from './ledger.js';
import type { Outcome } from './outcome.js';
import type { Counts } from './report.js';
import { addsUp } from './report.js';
import type { Halt } from './rollout.js';

export interface Verdict {
  outcome: Extract<Outcome, 'succeeded' | 'succeeded_with_quarantine' | 'failed'>;
  reason: string;
  next: string[];
}

export interface Facts {
  ledger: Ledger;
  canary: string | null;
  maxStragglers: number;
  halt: Halt | null;
  /** Nothing was rolled, since all tenants were on target before. */
  alreadyOnTarget: boolean;
}

/** Judges the fleet by what its tenants answered last. */
export function judge({ ledger, canary, maxStragglers, halt, alreadyOnTarget }: Facts): Verdict {
  const counts = ledger.counts();
  if (!addsUp(counts)) throw new RangeError(`accounting does not add up: ${JSON.stringify(counts)}`);
  const stragglers = ledger.stragglers();
  const { on_target, excused, enumerated } = counts;
  const failed = (reason: string): Verdict => ({ outcome: 'failed', reason, next: nextSteps(ledger, halt) });

  if (enumerated === 0) return failed('no tenant was enumerated: nothing was verified');
  if (halt) {
    return failed(
      `halted at ${halt.phase}: ${list(halt.unproven)} not proven on target${say(ledger, halt.unproven)}` +
        (halt.notRolled.length ? `; ${halt.notRolled.length} tenants were not rolled` : ''),
    );
  }
  if (on_target === 0) return failed(`none of ${enumerated} tenants is on target${say(ledger, stragglers)}`);
  if (canary && ledger.has(canary) && !ledger.isOnTarget(canary)) {
    return failed(`the canary ${canary} is not on target${say(ledger, [canary])}`);
  }
  if (!stragglers.length) {
    const names = excused
      ? `; excused: ${list(ledger.slugs.filter((slug) => ledger.statusOf(slug) === 'excused'))}`
      : '';
    const all = excused
      ? `${on_target} of ${enumerated} tenants on target${names}`
      : `all ${enumerated} tenants on target`;
    return { outcome: 'succeeded', reason: alreadyOnTarget ? 'already on target' : all, next: [] };
  }
  // Ephemeral tenants come and go: they count on neither side of "more than half of the fleet".
  if (stragglers.length <= maxStragglers && on_target * 2 > enumerated - excused) {
    return {
      outcome: 'succeeded_with_quarantine',
      reason: `${on_target} of ${enumerated} tenants on target; quarantined: ${list(stragglers)}`,
      next: [
        `look at ${list(stragglers)}: ${describe(ledger, stragglers)}`,
        'run the same command again to roll only what is not on target',
      ],
    };
  }
  const limit = maxStragglers ? ` (tolerated: ${maxStragglers}, and more than half must be on target)` : '';
  return failed(
    `${stragglers.length} of ${enumerated} tenants not proven on target${limit}: ${list(stragglers)}${say(ledger, stragglers)}`,
  );
}

function say(ledger: Ledger, slugs: string[]): string {
  return slugs.length === 1
    ? ` (${ledger.detailOf(slugs[0] as string) ?? ledger.statusOf(slugs[0] as string)})`
    : '';
}

/** What kind of failure it looks like, and what to do about that kind. */
function nextSteps(ledger: Ledger, halt: Halt | null): string[] {
  const counts = ledger.counts();
  const asked = counts.enumerated - counts.excused;
  const next: string[] = [];
  const commits = new Set(
    ledger.slugs
      .map((slug) => ledger.get(slug).observed)
      .map((seen) => (seen?.kind === 'sha' ? seen.sha : (seen?.kind ?? ''))),
  );
  const rolled = ledger.slugs.filter((slug) => ledger.get(slug).phase !== null);
  if (asked >= 4 && counts.unreachable * 2 > asked) {
    next.push(
      `fleet-wide: ${counts.unreachable} of ${asked} tenants do not answer; look at the image (does it start?) and at the network in front of them first`,
    );
  } else if (asked > 0 && counts.invalid === asked) {
    next.push(
      'blind: every tenant answers something that is not buildinfo; check --tenant-url, and that nothing in front of the tenants blocks /buildinfo',
    );
  } else if (rolled.length > 1 && counts.stale === asked && commits.size === 1) {
    next.push(
      `image: every tenant runs the same other commit (${short([...commits][0])}); the target tag probably does not hold the expected commit`,
    );
  }
  const specific = describe(ledger, ledger.stragglers(rolled.length ? rolled : ledger.slugs));
  if (specific) next.push(`look at the tenants: ${specific}`);
  if (halt?.notRolled.length) {
    next.push(
      `not rolled: ${list(halt.notRolled)}; run the same command again once the cause is gone: tenants on target are left out`,
    );
  } else {
    next.push('run the same command again once the cause is gone: tenants on target are left out');
  }
  return next;
}

const short = (text: string | undefined) =>
  text && /^[0-9a-f]{40}$/.test(text) ? text.slice(0, 7) : (text ?? '');

function describe(ledger: Ledger, slugs: string[]): string {
  const shown = slugs
    .slice(0, 5)
    .map((slug) => `${slug} (${ledger.statusOf(slug)}: ${ledger.detailOf(slug) ?? 'no detail'})`);
  return shown.join(', ') + (slugs.length > 5 ? ` and ${slugs.length - 5} more` : '');
}

/** Names, bounded: a line with a thousand slugs helps nobody. */
export function list(slugs: string[]): string {
  return slugs.slice(0, 10).join(', ') + (slugs.length > 10 ? ` and ${slugs.length - 10} more` : '');
}

/** Counts in words: `12 enumerated: 10 on target, 2 stale`. */
export function countsText(counts: Counts): string {
  const { enumerated, ...rest } = counts;
  const parts = Object.entries(rest).filter(([, number]) => typeof number === 'number' && number > 0);
  return `${enumerated} enumerated: ${parts.map(([name, number]) => `${number} ${name.replace('_', ' ')}`).join(', ') || 'none asked'}`;
}
