/** The gates without a roll behind them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import { awaitGates } from '../../src/gates.js';
import { FakeGitea, ManualClock, RecordingSink } from '../../src/testing/index.js';

const SHA = 'b'.repeat(40);
let gitea: FakeGitea;
beforeEach(async () => {
  gitea = await FakeGitea.start();
  gitea.repository.addCommit(SHA, [], 'main');
});
afterEach(() => gitea.stop());

const options = (over: Parameters<typeof checkOptions>[1]) =>
  checkOptions('gates', {
    ...{ giteaUrl: gitea.url, giteaToken: 'gitea-token', repository: 'acme/server', branch: 'main' },
    ...{ supersededBy: 'off', expectedSha: SHA, ...over },
  });

describe('the gates alone', () => {
  it('waits for a check that is pending, and passes once it is green', async () => {
    const clock = new ManualClock();
    const sink = new RecordingSink();
    gitea.repository.addStatus(SHA, { context: 'ci', state: 'pending' });
    const passing = awaitGates(options({ requireContext: ['ci'] }), { ports: { clock, emit: sink.emit } });
    await expect.poll(() => sink.codes).toContain('gate.waiting');
    gitea.repository.addStatus(SHA, { context: 'ci', state: 'success' });
    await clock.advance(15_000);
    expect(await passing).toMatchObject({
      schema: 'fleet-gates/1',
      outcome: 'passed',
      exit_code: 0,
      gates: [{ gate: 'required checks', passed: true }],
    });
  });

  it.each<[string, Parameters<typeof checkOptions>[1], () => void, string]>([
    [
      'a red check',
      { requireContext: ['ci'] },
      () => gitea.repository.addStatus(SHA, { context: 'ci', state: 'failure' }),
      'refused',
    ],
    [
      'a switch that is armed',
      { killSwitch: 'FREEZE' },
      () => gitea.repository.variables.set('FREEZE', 'on'),
      'held',
    ],
    ['a switch that cannot be read', { killSwitch: 'FREEZE' }, () => gitea.fail(403), 'refused'],
    ['a hold', { hold: 'yes' }, () => {}, 'held'],
    [
      'a newer commit',
      { supersededBy: 'head' },
      () => gitea.repository.addCommit('c'.repeat(40), [SHA], 'main'),
      'superseded',
    ],
    [
      'an untrusted event',
      { hold: 'off', killSwitch: 'FREEZE', trigger: { event: 'pull_request' } },
      () => {},
      'refused',
    ],
    ['another branch', { onlyBranch: 'release', trigger: { event: 'push' } }, () => {}, 'refused'],
  ])(
    '%s: 4, in CI too, since whatever follows takes 0 for leave to go on',
    async (_name, over, prepare, outcome) => {
      prepare();
      for (const event of ['push', undefined]) {
        const result = await awaitGates(options({ trigger: { event }, ...over }));
        expect(result).toMatchObject({ exit_code: 4, ...(event ? { outcome } : {}) });
        if (over.onlyBranch) break;
      }
    },
  );

  it('ends by the time limit, and by a signal', async () => {
    const clock = new ManualClock();
    const late = awaitGates(options({ requireContext: ['ci'], timeoutMs: 1_000 }), { ports: { clock } });
    await expect.poll(() => gitea.exchanges.length).toBeGreaterThan(0);
    await clock.advance(1_000);
    expect(await late).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/ran out.* ci \(missing\)/),
    });
    const stopped = await awaitGates(options({ requireContext: ['ci'] }), {
      signal: AbortSignal.abort('SIGTERM'),
    });
    expect(stopped).toMatchObject({ outcome: 'interrupted', exit_code: 143 });
  });

  it.each<[Parameters<typeof checkOptions>[1], RegExp]>([
    [{}, /no gate is configured: everything would pass/],
    [{ requireContext: ['ci'], expectedSha: undefined }, /expectedSha|--expected-sha is missing/],
    [{ image: 'registry.example.com/team/server' }, /--target-tag is missing/],
  ])('%j is no question', (over, says) => {
    expect(() => options(over)).toThrow(says);
  });
});
