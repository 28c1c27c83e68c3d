/** `fleet gates`, as a process against a Gitea of its own. */
import { FakeGitea } from '@tenant-fleet/fleet-core/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { atTerminal, checked, fleet, hasPty, SHA } from './cli.js';

let gitea: FakeGitea;
beforeAll(async () => {
  gitea = await FakeGitea.start();
  gitea.repository.addCommit(SHA, [], 'main');
});
afterAll(() => gitea.stop());

const args = (...more: string[]) => [
  ...['gates', '--gitea-url', gitea.url, '--repository', 'acme/server', '--expected-sha', SHA, ...more],
];
const env = { GITEA_TOKEN: 'gitea-token-never-print-me' };

it('needs no control plane, waits, and says which gates it passed', async () => {
  gitea.repository.addStatus(SHA, { context: 'ci / test', state: 'success' });
  const ran = await fleet(args('--require-context', 'ci / test'), { env: { ...env, FLEET_CP_TOKEN: '' } });
  expect([ran.code, ran.stderr]).toEqual([0, 'gate required checks: passed, 1 green on abcdef1\n']);
  expect(ran.stdout).toMatch(/^PASSED: 1 gate, after \S+\.\n$/);
});

it('--json is one document, also where a gate is not passed; the token is nowhere', async () => {
  gitea.repository.variables.set('FREEZE', 'on');
  const ran = await fleet(args('--kill-switch', 'FREEZE', '--json'), {
    env: { ...env, CI: 'true', GITHUB_EVENT_NAME: 'push' },
  });
  expect(checked(ran.stdout)).toMatchObject({ schema: 'fleet-gates/1', outcome: 'held', exit_code: 4 });
  expect([ran.code, ran.stderr]).toEqual([4, expect.stringMatching(/HELD: the kill switch FREEZE is armed/)]);
  expect(ran.stdout + ran.stderr).not.toContain(env.GITEA_TOKEN);
});

it('a gate that is not configured is no gate that is passed', async () => {
  const ran = await fleet(args(), { env });
  expect([ran.code, ran.stdout]).toEqual([2, '']);
  expect(ran.stderr).toMatch(/no gate is configured.*\nnext: give --require-context/);
});

it.skipIf(!hasPty)('keeps to 40 columns', async () => {
  const narrow = await atTerminal(40, args('--kill-switch', 'FREEZE'), { env });
  expect(narrow).toContain('HELD: the kill switch FREEZE is armed');
  for (const line of narrow.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
});
