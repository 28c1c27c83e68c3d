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
});

/** The first run has its document say more. */
const says = ({ runs: [run] }: History, reason: string, rolls: number) => {
  const { tenants } = JSON.parse(run?.stdout ?? '') as { tenants: { slug: string }[] };
  const told = tenants.map((tenant) => (tenant.slug === SLUGS[0] ? { ...tenant, rolls } : tenant));
  if (run) run.stdout = documentOf(NEW, 1, 2010, { tenants: told, reason });
};

describe('a tenant that one run rolled twice', () => {
  const twice = 'all 3 tenants on target; may have been rolled twice: acme';
  it.each<[string, string[], (history: History) => void]>([
    ['that report and verdict tell is none', [], (history) => says(history, twice, 2)],
    ['that the verdict alone tells', ['the report tells 1'], (history) => says(history, twice, 1)],
    [
      'that the report alone tells',
      ['the verdict does not say so'],
      (history) => says(history, 'all 3 tenants on target', 2),
    ],
    [
      'where the verdict names another',
      ['the verdict does not say so'],
      (history) => says(history, twice.replace('acme', 'birch'), 2),
    ],
  ])('%s', (_name, expected, tell) => {
    const violations = found((history) => {
      history.rolls.push(foreignRoll({}));
      tell(history);
    });
    expect(violations).toEqual(expected.map((what) => expect.stringContaining(what)));
  });
});

/** The second run rolls acme; `same` commit as the first one, or another that acme answers already. */
function again(
  same: boolean,
  told: { warning: string | null; verdict: string },
  change: (history: History) => void,
) {
  return found((history) => {
    const { runs, answers, rolls } = history;
    const [sha, tag] = same ? [NEW, 'main-1'] : [NEWER, 'main-2'];
    // Nobody has seen what the first roll made of acme.
    history.answers = answers.filter(({ run, slug, at }) => run !== 'run-1' || slug !== 'acme' || at < 1300);
    for (const answer of history.answers) {
      if (answer.run === 'run-2' && answer.at > 3500) answer.sha = sha;
      if (answer.run === 'run-2' && answer.at < 3500 && answer.slug === 'acme')
        answer.sha = same ? OLD : NEWER;
    }
    set(rolls, 1, { target_tag: tag, slugs: ['acme'] });
    const stderr = told.warning === null ? '' : `warning: ${told.warning}\n`;
    set(runs, 1, { stdout: documentOf(sha, 2, 4010, { reason: told.verdict }), stderr });
    change(history);
  }).filter((what) => what.startsWith('twice: run-2'));
}
const nothing = () => {};
const message = (history: History, run: string, call: string, status: number | null) => {
  for (const one of history.messages) if (one.run === run && one.path.endsWith(call)) one.status = status;
};
/** Acme answers a run, and the run's record is taken afterwards. */
const seen = (history: History, run: string, at: number, sha: string) =>
  void history.answers.push({ run, slug: 'acme', at, sha, delivered: true, trouble: null });

describe('a tenant that answers the commit to which it is rolled', () => {
  const told = {
    warning: 'acme: rolled to another commit by an earlier run that did not see it there, so rolled whatever',
    verdict: 'all 3; rolled although on target, after an earlier run to another commit: acme',
  };
  const NEEDLESS = /^twice: run-2: acme said at 3\.100s that it runs main-2/;
  it.each<[string, typeof told | { warning: null; verdict: string }, (history: History) => void, boolean]>([
    [
      'may be, where an earlier roll to another commit was seen by nobody, and that is told',
      told,
      nothing,
      true,
    ],
    ['must not be where the run did not say so', { ...told, warning: null }, nothing, false],
    ['must not be where its verdict does not say so', { ...told, verdict: 'all 3' }, nothing, false],
    [
      'must not be where another tenant is named',
      { warning: told.warning.replace('acme', 'birch'), verdict: told.verdict },
      nothing,
      false,
    ],
    [
      'must not be where no earlier roll named it',
      told,
      ({ rolls }) => set(rolls, 0, { slugs: ['birch', 'cedar'] }),
      false,
    ],
    [
      'must not be where the earlier roll was to the same commit',
      told,
      ({ rolls }) => set(rolls, 0, { target_tag: 'main-2' }),
      false,
    ],
    [
      'must not be where the earlier run saw it there',
      told,
      (history) => seen(history, 'run-1', 1600, NEW),
      false,
    ],
    [
      'may be where that answer got lost',
      told,
      (history) => {
        seen(history, 'run-1', 1600, NEW);
        Object.assign(history.answers.at(-1) ?? {}, { delivered: false });
      },
      true,
    ],
    [
      'may be where it was there before that roll',
      told,
      (history) => seen(history, 'run-1', 1200, NEW),
      true,
    ],
    [
      'may be where no record tells so',
      told,
      (history) => {
        seen(history, 'run-1', 1600, NEW);
        message(history, 'run-1', 'release', null);
        for (const one of history.messages) if (one.run === 'run-1' && one.at === 1950) one.status = 504;
      },
      true,
    ],
    [
      'may be of a run that was killed after it had said so',
      told,
      ({ runs }) => set(runs, 1, { stdout: '', code: null, blow: { kind: 'kill', at: 3900 } }),
      true,
    ],
    [
      'must not be of a run that was killed and had not',
      { ...told, warning: null },
      ({ runs }) => set(runs, 1, { stdout: '', code: null, blow: { kind: 'kill', at: 3900 } }),
      false,
    ],
  ])('%s', (_name, words, change, accepted) => {
    const violations = again(false, words, change);
    expect(violations).toEqual(accepted ? [] : [expect.stringMatching(NEEDLESS)]);
  });
});

describe('a tenant that a later run rolls to the same commit', () => {
  const told = {
    warning: 'acme: rolled to this commit by an earlier run already, and not on it, so rolled once more',
    verdict: 'all 3; rolled once more after an earlier run: acme',
  };
  const UNTOLD =
    /^twice: run-2: acme was rolled to main-1 by roll 1 of an earlier run, and by roll 2 without a word/;
  it.each<[string, typeof told | { warning: null; verdict: string }, (history: History) => void, boolean]>([
    ['is none where that is told', told, nothing, true],
    ['must be told as it goes on', { ...told, warning: null }, nothing, false],
    ['must be told in the verdict', { ...told, verdict: 'all 3' }, nothing, false],
    [
      'is not known where the record of the first was lost',
      { warning: null, verdict: 'all 3' },
      (history) => message(history, 'run-1', 'rollout', null),
      true,
    ],
    [
      'is no second one where the first was seen, and the tenant fell back',
      { warning: null, verdict: 'all 3' },
      (history) => seen(history, 'run-1', 1600, NEW),
      true,
    ],
  ])('%s', (_name, words, change, accepted) => {
    expect(again(true, words, change)).toEqual(accepted ? [] : [expect.stringMatching(UNTOLD)]);
  });
});
