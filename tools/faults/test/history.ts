/** A small good round, which the tests falsify: two runs roll three tenants, one after the other. */
import type { Claim, History, Roll, Run } from '../src/history.js';
import type { Script, Task } from '../src/script.js';

export const SLUGS = ['acme', 'birch', 'cedar'];
export const [OLD, NEW, NEWER] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const TAGS: Record<string, string> = { [OLD]: 'main-0', [NEW]: 'main-1', [NEWER]: 'main-2' };
const iso = (ms: number) => new Date(ms).toISOString();

export const script: Script = {
  seed: 1,
  fleet: SLUGS.map((slug) => ({ slug, behaviour: 'ok', roll_ms: 100, drain_ms: 0, drain_mode: 'old' })),
  images: [OLD, NEW, NEWER].map((sha) => ({ tag: TAGS[sha] as string, sha })),
  ttlSeconds: 2,
  trouble: { calls: 0, probes: 0 },
  actors: [],
  injuries: [],
};

export function taskTo(sha: string, order: number | null): Task {
  const image = { tag: TAGS[sha] as string, sha };
  const kind = order === null ? 'rollback' : 'redeploy';
  return { kind, image, order, strategy: 'scoped', batch: 3, canary: null, stragglers: 0, force: false };
}

/** A document that the published schema accepts. */
export function documentOf(sha: string, token: number, finished: number, more: object = {}): string {
  return JSON.stringify({
    schema: 'fleet-result/1',
    outcome: 'succeeded',
    deployed: true,
    reason: 'all 3 tenants on target',
    target_tag: TAGS[sha],
    expected_sha: sha,
    started_at: iso(finished - 500),
    finished_at: iso(finished),
    lock: { group: 'staging', fencing_token: token, waited_ms: 0 },
    counts: { enumerated: 3, on_target: 3, stale: 0, unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 },
    tenants: SLUGS.map((slug) => ({
      slug,
      status: 'on_target',
      phase: 'batch-1',
      observed_sha: sha,
      probes: 2,
      on_target_after_ms: 1,
      detail: null,
      baseline_sha: null,
    })),
    calls: [],
    exit_code: 0,
    warnings: [],
    next: [],
    ...more,
  });
}

/** Adds a run that holds the lock from `at` for a second, rolls all tenants in the middle, and proves them. */
function addRollout(
  history: History,
  name: string,
  sha: string,
  order: number,
  token: number,
  at: number,
): void {
  const claim_id = `claim-${name}`;
  const claim: Claim = {
    ...{ claim_id, run: name, state: 'released', token, order_key: 'acme/app@main', order_number: order },
    ...{ ttl_ms: 2000, acquired: at, ended: at + 1000, end_reason: null, result: 'proven' },
  };
  const [started, ended] = [at + 300, at + 500];
  const roll: Roll = {
    ...{ id: token, token, claim_id, target_tag: TAGS[sha] as string, slugs: [...SLUGS] },
    ...{ started, ended, result: 'ok' },
  };
  const run: Run = {
    command: { run: name, afterMs: 0, plane: 0, task: taskTo(sha, order), blow: null },
    ...{ started: at - 100, ended: at + 1100, code: 0, signal: null },
    ...{ stdout: documentOf(sha, token, at + 1010), stderr: '', blow: null, overdue: false },
  };
  history.claims.push(claim);
  history.rolls.push(roll);
  history.runs.push(run);
  // Before its roll, after it, and at its end.
  for (const [after, call] of [
    [250, 'rollout'],
    [950, 'rollout'],
    [990, 'release'],
  ] as const) {
    const path = `/cp/admin/fleet-locks/staging/claims/${claim_id}/${call}`;
    const message = { run: name, plane: 0, at: at + after, method: 'POST', path, trouble: null, status: 200 };
    history.messages.push(message);
  }
  for (const slug of SLUGS) {
    const before = history.swaps.filter((swap) => swap.slug === slug).at(-1)?.to ?? OLD;
    history.swaps.push({ at: started + 100, slug, from: before, to: sha, rolls: [token] });
    for (const [when, ran] of [
      [at + 100, before],
      [at + 900, sha],
    ] as const) {
      history.answers.push({ run: name, slug, at: when, sha: ran, delivered: true, trouble: null });
    }
  }
}

export function goodHistory(): History {
  const history: History = {
    ...{
      script,
      started: 0,
      claims: [],
      rolls: [],
      swaps: [],
      answers: [],
      messages: [],
      runs: [],
      beats: [],
    },
    ...{ injuries: [], outputs: [], secrets: ['sesame'], remains: [] },
  };
  addRollout(history, 'run-1', NEW, 10, 1, 1000);
  addRollout(history, 'run-2', NEWER, 20, 2, 3000);
  return history;
}
