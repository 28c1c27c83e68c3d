/** The demo: what it shows, and that it leaves nothing behind. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folded } from '../src/stage.js';
import { demo, descendants, nothingIsLeft, running, temp } from './run-demo.js';

it('rolls the fleet, proves it and leaves nothing behind', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1: proven/, ({ pid }) => {
    pids = descendants(pid);
  });
  expect(ran.output).toContain('DEPLOYED: staging runs staging-4f2c1a9 (4f2c1a9); 12 of 12 tenants');
  expect(ran.output.trim().split('\n').at(-1)).toMatch(/^Try next: /);
  expect(ran.code).toBe(0);
  expect(pids.length).toBeGreaterThan(3);
  await nothingIsLeft(pids, ran.output);
});

it('--broken ends with exit code 1 and names the two tenants', async () => {
  const ran = await demo(['--', '--broken']);
  expect(ran.output).toMatch(
    /FAILED: [\s\S]*12 tenants: 10 on target, 2 stale[\s\S]* {2}juniper: stale[\s\S]* {2}lumen: stale/,
  );
  expect(ran.code).toBe(1);
  await nothingIsLeft([], ran.output);
});

it('SIGINT while it starts: nothing is left', async () => {
  let pids: number[] = [];
  const ran = await demo([], /Starting/, ({ pid, kill }) => {
    setTimeout(() => {
      pids = descendants(pid);
      kill(pid, 'SIGINT');
    }, 700);
  });
  expect(ran.code).toBe(130);
  expect(running(pids)).toEqual([]);
  expect(readdirSync(temp)).toEqual([]);
});

it('an unknown argument is one line and exit code 2', async () => {
  const ran = await demo(['--brokn']);
  expect(ran).toEqual({
    code: 2,
    output: ran.stderr,
    stderr: 'error: unknown argument "--brokn"\nnext: pnpm demo [--broken | --on-server]\n',
  });
});

it.each([
  ['One two three four.', 9, 'One two\nthree\nfour.'],
  ['$ fleet redeploy --detach', 18, '$ fleet redeploy \\\n    --detach'],
  ['', 80, ''],
])('%j fits into %i columns', (line, width, shown) => expect(folded(line, width)).toBe(shown));
