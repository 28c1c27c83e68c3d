/** What a failed fleet looks like, and what to do next about a failure of that kind. Pure. */

import type { Halt } from '../rollout/rollout.js';
import { nameList } from '../text/words.js';
import { type Ledger, shaOf, type Tenant } from '../verify/ledger.js';

/** Up to this many tenants, "more than half" says nothing about the fleet. */
const FLEET_WIDE_FROM = 4;

/** Sentences for a tired person, the likeliest cause first, the command that goes on last. */
export function diagnose(ledger: Ledger, halt: Halt | null): string[] {
  const asked = ledger.slugs.filter((slug) => ledger.statusOf(slug) !== 'excused');
  const rolled = asked.filter((slug) => ledger.get(slug).phase !== null);
  const looked = rolled.length ? rolled : asked;
  const stragglers = ledger.stragglers(looked);
  const said =
    fleetWide(ledger, asked) ??
    blind(ledger, asked) ??
    image(ledger, rolled) ??
    lookAtTenants(ledger, stragglers);
  const again = 'run the same command again once the cause is gone: tenants on target are left out';
  const done = rolled.filter((slug) => ledger.isOnTarget(slug));
  if (halt && done.length) said.push(`rolled and on target: ${nameList(done)}`);
  return [...said, halt?.notRolled.length ? `not rolled: ${nameList(halt.notRolled)}; ${again}` : again];
}

function fleetWide(ledger: Ledger, asked: string[]): string[] | null {
  const count = (status: string) => asked.filter((slug) => ledger.statusOf(slug) === status).length;
  if (asked.length >= FLEET_WIDE_FROM && count('unreachable') * 2 > asked.length) {
    return [
      `fleet-wide: ${count('unreachable')} of ${asked.length} tenants do not answer; see first whether the image starts at all, then what stands between here and the tenants`,
    ];
  }
  if (asked.length > 1 && count('unhealthy') === asked.length) {
    return [
      'fleet-wide: the control plane calls no tenant healthy; see first whether the image starts at all',
    ];
  }
  return null;
}

function blind(ledger: Ledger, asked: string[]): string[] | null {
  if (!asked.length || asked.some((slug) => ledger.statusOf(slug) !== 'invalid')) return null;
  return [
    'blind: every tenant answers something that is not buildinfo; check --tenant-url, and that nothing in front of the tenants takes /buildinfo away',
  ];
}

/** Everybody on one wrong commit: not the tenants, but what they were given. */
function image(ledger: Ledger, rolled: string[]): string[] | null {
  const stale = rolled.filter((slug) => ledger.statusOf(slug) === 'stale');
  if (stale.length < 2 || stale.length < rolled.length) return null;
  const seen = new Set(stale.map((slug) => shaOf(ledger.get(slug).observed)));
  const [commit] = seen;
  if (seen.size !== 1 || !commit) return null;
  if (commit === 'dev') {
    return [
      'image: every tenant that was rolled answers "dev": the build did not wire its commit into the image',
    ];
  }
  if (stale.every((slug) => ledger.get(slug).baseline === commit)) {
    return [
      `image: every tenant that was rolled still answers ${commit.slice(0, 7)}, the commit from before; their hosts probably restarted without pulling the target tag: does it exist, and may the hosts pull it?`,
    ];
  }
  return [
    `image: every tenant that was rolled now answers ${commit.slice(0, 7)}, which is neither the commit from before nor the expected one: the target tag holds another commit`,
  ];
}

/** One sentence per kind of trouble, with the tenants that have it. */
export function lookAtTenants(ledger: Ledger, slugs: string[]): string[] {
  const kinds: [(tenant: Tenant) => boolean, string][] = [
    [({ row }) => row?.healthy === false, 'not healthy, says the control plane; see the logs'],
    [({ flapped }) => flapped, 'flapping between two commits; an old container or replica still serves'],
    [({ row }) => Boolean(row?.failure), 'the redeploy failed on the host; start there'],
    [({ observed }) => observed?.kind === 'unreachable', 'no answer; does the container start?'],
    [
      ({ observed }) => observed?.kind === 'invalid',
      'something else than buildinfo answers; what stands in front?',
    ],
    [({ observed }) => observed?.kind === 'dev', 'the build carries no commit'],
    [
      ({ phase }) => phase !== null,
      'rolled, and still on another commit; an old container, or an image that was not pulled',
    ],
    [() => true, 'on another commit, and not rolled'],
  ];
  const left = new Set(slugs);
  const said: string[] = [];
  for (const [has, what] of kinds) {
    const these = [...left].filter((slug) => has(ledger.get(slug)));
    for (const slug of these) left.delete(slug);
    if (these.length) said.push(`look at ${nameList(these)}: ${what}`);
  }
  return said;
}
