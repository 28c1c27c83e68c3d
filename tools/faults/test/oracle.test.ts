import { describe, expect, it } from 'vitest';
import type { Claim, History, Roll, Run } from '../src/history.js';
import { judge } from '../src/oracle/oracle.js';
import { falsified, SABOTAGES } from '../src/sabotage.js';
import { documentOf, goodHistory, NEW, NEWER, OLD, SLUGS } from './history.js';

const found = (falsify: (history: History) => void) => {
  const history = goodHistory();
  falsify(history);
  return judge(history).map(({ rule, what }) => `${rule}: ${what}`);
};
const second = <T>(list: T[]) => list[1] as T;
function set<T extends object>(list: T[], index: number, patch: Partial<T>): void {
  Object.assign(list[index] as T, patch);
}
const beatsAt = (...times: number[]) => times.map((at) => ({ run: 'run-9', token: 9, at }));
const lockRun = (more: Partial<Run>): Run => ({
  command: { run: 'run-9', afterMs: 0, plane: 0, task: { kind: 'lock-run', forMs: 100 }, blow: null },
  ...{
    started: 0,
    ended: 9000,
    code: 0,
    signal: null,
    stdout: 'done\n',
    stderr: '',
    blow: null,
    overdue: false,
  },
  ...more,
});
const claim9 = (more: Partial<Claim>): Claim => ({
  ...{ claim_id: 'nine', run: 'run-9', state: 'released', token: 9, order_key: null, order_number: null },
  ...{ ttl_ms: 2000, acquired: 4500, ended: 5000, end_reason: null, result: 'not_proven' },
  ...more,
});
const foreignRoll = (more: Partial<Roll>): Roll => ({
  ...{ id: 7, token: 1, claim_id: 'claim-run-1', target_tag: 'main-1', slugs: ['acme'], result: 'ok' },
  ...{ started: 1600, ended: 1700 },
  ...more,
});

describe('a good round', () => {
  it('has no violations', () => {
    expect(judge(goodHistory())).toEqual([]);
  });

  it('has none with a command under the lock that nobody was beside', () => {
    const violations = found((history) => {
      history.beats.push(...beatsAt(4600, 4700));
      history.claims.push(claim9({}));
      history.runs.push(lockRun({}));
    });
    expect(violations).toEqual([]);
  });
});

describe('every sabotage of a record is seen by its rule', () => {
  const ofRecords = Object.entries(SABOTAGES).filter(([, { falsify }]) => falsify);
  it.each(ofRecords)('%s', (_name, sabotage) => {
    const history = falsified(sabotage, goodHistory());
    expect(history).toBeTruthy();
    expect(judge(history as History).map(({ rule }) => rule)).toContain(sabotage.rule);
  });
});

describe('bad rounds', () => {
  it.each<[string, RegExp, (history: History) => void]>([
    [
      'two rolls at once',
      /^overlap: roll 2 .* while roll 1/,
      ({ rolls }) => set(rolls, 1, { started: 1450 }),
    ],
    [
      'a roll that never ended',
      /^overlap: roll 2 .* while roll 1/,
      ({ rolls }) => set(rolls, 0, { ended: null }),
    ],
    [
      'an older token that rolls',
      /^overlap: .* token 0 came after/,
      ({ rolls }) => set(rolls, 1, { token: 0 }),
    ],
    [
      'a roll in the name of somebody else',
      /^overlap: roll 7 is to main-2, in the name of run-1, who rolls main-1/,
      ({ rolls }) => void rolls.push(foreignRoll({ target_tag: 'main-2' })),
    ],
    [
      'a tenant that changed by itself',
      /^overlap: acme changed .* in 0 open rolls/,
      ({ swaps }) => set(swaps, 0, { rolls: [] }),
    ],
    [
      'a tenant that took another image',
      /^overlap: acme took aaaaaaa in roll 1/,
      ({ swaps }) => set(swaps, 0, { to: OLD }),
    ],
    [
      'a command under the lock during an older roll',
      /^overlap: run-9: .* during roll 2/,
      (history) => {
        history.beats.push(...beatsAt(3400));
        history.claims.push(claim9({}));
      },
    ],
    [
      'a command that outlives its lease',
      /^overlap: run-9: .* while token 2 held/,
      (history) => {
        history.beats.push(...beatsAt(3100));
        history.claims.push(claim9({ acquired: 2500, ended: 2900, state: 'lost' }));
      },
    ],
    [
      'a verdict on another commit',
      /^verdict: run-2 .*acme ran bbbbbbb when it was called proven/,
      (history) => {
        history.swaps = history.swaps.filter(({ slug, to }) => slug !== 'acme' || to !== NEWER);
      },
    ],
    [
      'a verdict that an open roll undoes',
      /^verdict: run-1 .*acme went to ccccccc at 2\.100s, after the verdict/,
      (history) => {
        history.swaps.push({ at: 2100, slug: 'acme', from: NEW, to: NEWER, rolls: [7] });
        history.rolls.push(foreignRoll({ target_tag: 'main-2', started: 1950, ended: 2200, token: 2 }));
      },
    ],
    [
      'a tenant that was never asked',
      /^verdict: run-2 .*birch never said so/,
      (history) => {
        history.answers = history.answers.filter(({ slug, run }) => slug !== 'birch' || run !== 'run-2');
      },
    ],
    [
      'an answer that got lost and is counted',
      /^verdict: run-2 .*birch never said so/,
      (history) => {
        for (const answer of history.answers)
          if (answer.slug === 'birch' && answer.at > 3500) answer.delivered = false;
      },
    ],
    [
      'an answer from before an older roll ended',
      /^verdict: run-2 .*acme was last asked .* before the older roll 7/,
      (history) => {
        history.rolls.push(foreignRoll({ started: 2900, ended: 3950 }));
      },
    ],
    [
      'a part of the fleet called deployed',
      /^verdict: run-1 .*says deployed without dove/,
      (history) => {
        history.script = {
          ...history.script,
          fleet: [
            ...history.script.fleet,
            { slug: 'dove', behaviour: 'ok', roll_ms: 1, drain_ms: 0, drain_mode: 'old' },
          ],
        };
      },
    ],
    [
      'a claim nobody knows',
      /^verdict: run-1 .*does not know/,
      ({ runs }) => set(runs, 0, { stdout: documentOf(NEW, 77, 2010) }),
    ],
    [
      'a lease that was taken away, and at no moment right',
      /^verdict: run-2 .*at no moment/,
      (history) => {
        Object.assign(second(history.claims), { state: 'broken', ended: 3200 });
        history.swaps = history.swaps.filter(({ slug, to }) => slug !== 'acme' || to !== NEWER);
      },
    ],
    [
      'an older commit rolled after a newer one',
      /^order: roll 2 .*as order 20, after roll 1 .*as order 30/,
      ({ claims }) => set(claims, 0, { order_number: 30 }),
    ],
    [
      'an older commit rolled after a newer one was proven without a roll',
      /^order: roll 2 .*after run-1 was proven/,
      (history) => {
        history.rolls.shift();
        history.swaps = history.swaps.filter(({ rolls: [roll] }) => roll !== 1);
        Object.assign(history.claims[0] as Claim, { order_number: 30 });
      },
    ],
    [
      'a second roll that the report hides',
      /^twice: run-1: acme was rolled by rolls 1, 7, and the report tells 1/,
      ({ rolls }) => void rolls.push(foreignRoll({})),
    ],
    [
      'a roll to what runs already',
      /^twice: run-1: acme said at 1\.100s/,
      ({ answers }) => set(answers, 0, { sha: NEW }),
    ],
    [
      'nobody asked after the drain',
      /^twice: run-2: acme was not asked/,
      ({ rolls }) => void rolls.push(foreignRoll({ started: 2900, ended: 3150 })),
    ],
    [
      'two documents',
      /^report: run-1 .*no document/,
      ({ runs }) => set(runs, 0, { stdout: `${runs[0]?.stdout}${runs[0]?.stdout}` }),
    ],
    [
      'an exit code that does not fit',
      /^report: run-1 .*exit code 5 for succeeded/,
      ({ runs }) => set(runs, 0, { code: 5 }),
    ],
    [
      'counts that do not add up',
      /^report: run-1 .*3 enumerated, 2 counted/,
      ({ runs: [run] }) => {
        const counts = {
          enumerated: 3,
          on_target: 2,
          stale: 0,
          unreachable: 0,
          invalid: 0,
          unhealthy: 0,
          excused: 0,
        };
        if (run) run.stdout = documentOf(NEW, 1, 2010, { counts });
      },
    ],
    [
      'superseded by nobody',
      /^report: run-2 .*superseded by nobody/,
      ({ runs }) => {
        second(runs).stdout = documentOf(NEWER, 2, 4010, { outcome: 'superseded', deployed: false });
      },
    ],
    [
      'a command that was not run to its end',
      /^report: run-9 .*did not run to its end/,
      ({ runs }) => void runs.push(lockRun({ stdout: '' })),
    ],
    [
      'a stack trace',
      /^report: run-9 .*a fault of its own/,
      ({ runs }) => void runs.push(lockRun({ stderr: 'x\n    at y (z.js:1:2)' })),
    ],
    [
      'a run without an end',
      /^report: run-1 .*did not end in time/,
      ({ runs }) => set(runs, 0, { overdue: true }),
    ],
    [
      'a secret in an output',
      /^secret: run-2 printed a secret/,
      ({ runs }) => set(runs, 1, { stderr: 'token sesame' }),
    ],
    [
      'a process that was left',
      /^remains: left running/,
      ({ remains }) => void remains.push('left running: sh'),
    ],
  ])('%s', (_name, expected, falsify) => {
    expect(found(falsify)).toContainEqual(expect.stringMatching(expected));
  });

  it('says nothing of a second roll that the report tells', () => {
    const violations = found(({ rolls, runs: [run] }) => {
      rolls.push(foreignRoll({}));
      const { tenants } = JSON.parse(run?.stdout ?? '') as {
        tenants: { slug: string; rolls?: number }[];
      };
      const told = tenants.map((tenant) => (tenant.slug === SLUGS[0] ? { ...tenant, rolls: 2 } : tenant));
      if (run) run.stdout = documentOf(NEW, 1, 2010, { tenants: told });
    });
    expect(violations).toEqual([]);
  });
});
