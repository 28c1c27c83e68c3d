/** A demo that is ended in the middle, or whose control plane dies, leaves nothing behind. */
import { expect, it } from 'vitest';
import { demo, descendants, nothingIsLeft, running } from './run-demo.js';

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle of the roll: the lock is given back, all is removed',
  async (name) => {
    let pids: number[] = [];
    const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
      pids = descendants(pid);
      kill(pid, name);
    });
    expect(ran.output).toContain('lock staging: released');
    expect(ran.output).toContain('INTERRUPTED');
    expect(ran.code).toBe(name === 'SIGINT' ? 130 : 143);
    expect(pids.length).toBeGreaterThan(3);
    await nothingIsLeft(pids, ran.output);
  },
);

it('a second SIGINT ends all at once', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
    pids = descendants(pid);
    kill(pid, 'SIGINT');
    setTimeout(() => kill(pid, 'SIGINT'), 50);
  });
  expect(ran.code).toBe(130);
  await nothingIsLeft(pids, ran.output);
});

it('a control plane that dies is said, and nothing is left', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
    pids = descendants(pid);
    const [plane] = pids;
    if (plane) kill(plane, 'SIGKILL');
  });
  expect(ran.output).toContain('The control plane ended in the middle of the run.');
  expect(ran.output).not.toContain('DEPLOYED');
  expect(ran.code).not.toBe(0);
  await nothingIsLeft(pids, ran.output);
});

it('a demo that is killed takes its control plane along', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
    pids = descendants(pid);
    kill(pid, 'SIGKILL');
  });
  const deadline = Date.now() + 30_000;
  while (running(pids).length && Date.now() < deadline) await new Promise((done) => setTimeout(done, 200));
  expect(running(pids)).toEqual([]);
  expect(ran.output).not.toContain('DEPLOYED');
});
