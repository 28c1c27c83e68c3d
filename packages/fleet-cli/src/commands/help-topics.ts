/** What `fleet help TOPIC` says: what no help of a single command tells. */
import { exitCodeOf, type Outcome } from '@tenant-fleet/fleet-core';

/** What each outcome means, and what to do. */
const OUTCOMES: Record<Outcome, string> = {
  succeeded: 'every tenant answered with the commit',
  succeeded_with_quarantine: 'all but a tolerated few did; they are named: fleet verify asks them again',
  planned: 'a dry run: nothing was rolled',
  superseded: 'a newer commit owns the fleet, so nothing was rolled back to this one: nothing to do',
  held: 'somebody froze deploys: fleet status tells who and why; fleet lock unfreeze lifts it',
  failed: 'rolled and not proven: the tenants are named; the same command goes on where it stopped',
  lock_timeout: 'somebody else held the lock all the time: fleet lock status --watch',
  lock_lost: 'the lease was lost in the middle: fleet verify, then the same command again',
  refused: 'a gate was not passed, or could not be read: fleet gates, fleet doctor',
  control_plane_error: 'the control plane could not be used: fleet doctor',
  interrupted: 'stopped by a signal: what was rolled stays; the same command goes on',
  handed_over: 'the control plane rolls, and nothing is proven yet: fleet rollout attach',
};

function outcomes(): string[] {
  return [
    'Outcomes: how a run ended, as it stands in its first line and in the field "outcome".',
    '',
    ...Object.entries(OUTCOMES).flatMap(([name, means]) => [
      `${name} (exit code ${codes(name as Outcome)})`,
      `  ${means}`,
    ]),
    '',
    'Only succeeded and succeeded_with_quarantine are "deployed": true, and only for a whole fleet.',
  ];
}

function codes(outcome: Outcome): string {
  const [ci, human] = [exitCodeOf(outcome, { askedBy: 'ci' }), exitCodeOf(outcome, { askedBy: 'human' })];
  if (outcome === 'interrupted') return '130; SIGTERM 143, SIGHUP 129';
  return ci === human ? `${ci}` : `${ci} for a push or a schedule, ${human} where a person asked`;
}

const exitCodes = (): string[] => [
  'Exit codes of what rolls or verifies; the help of each command tells its own.',
  '',
  '  0    proven, planned, superseded, or held for a push or a schedule: read the outcome',
  '  1    failed: not every tenant is proven',
  '  2    usage: a bad flag, variable or file; nothing was requested',
  '  3    the lock was not had in time, or lost',
  '  4    refused by a gate, held where a person asked, or declined at the prompt',
  '  5    the control plane could not be used',
  '  130  interrupted by SIGINT; 143 by SIGTERM, 129 by SIGHUP',
  '',
  'fleet gates ends with 4 for whatever is no pass. fleet lock run ends as its command does.',
];

const concepts = (): string[] => [
  'fleet, tenant      the servers that one environment rolls; one of them, known by its slug',
  'environment        a named fleet in fleet.config.yaml; its name is that of its lock, too',
  'proven             every tenant itself answered /buildinfo with the expected commit',
  'canary, soak       the tenant that is rolled first; how long it is watched before the others',
  'batch, wave        how many are rolled at once; the canary or one such batch',
  'settle budget      how long a tenant may go on answering with the old commit',
  'straggler          a tenant that is not proven; --max-stragglers of them are left in quarantine',
  'ephemeral          a tenant that may vanish in the middle: named, and never a failure by itself',
  'gate               what has to be the case before a roll: required checks, kill switch, image',
  'lock, lease        one roll at a time; the right to roll, which ends unless it is renewed',
  'fencing token      the growing number of a lease: a server refuses a roll under an older one',
  'superseded         a newer commit of the same branch goes before this one',
  'freeze, hold       a person stopped deploys: by the lock, or by the kill switch',
  'drift              tenants that left the proven commit: fleet watch finds them',
];

export const TOPICS: Record<string, { about: string; text: () => string[] }> = {
  outcomes: { about: 'how a run may end, and what to do', text: outcomes },
  'exit-codes': { about: 'what scripts go by', text: exitCodes },
  concepts: { about: 'the words that are used', text: concepts },
};
