import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/lock/store/lanes.js';
import { ManualClock } from '../support/clock.js';

/** Work that ends when the test says so. */
function work(log: string[], name: string) {
  let end = (_error?: Error) => {};
  const run = () => {
    log.push(name);
    return new Promise<string>((resolve, reject) => {
      end = (error) => (error ? reject(error) : resolve(name));
    });
  };
  return { run, end: (error?: Error) => end(error) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('transitions of one group in one process', () => {
  it('go one after the other, and what frees the lock goes first', async () => {
    const lanes = new Lanes(new ManualClock());
    const log: string[] = [];
    const works = ['first', 'claim', 'release', 'another claim'].map((name) => work(log, name));
    const done = works.map(({ run }, index) => lanes.run('g', index === 2, run));
    for (const index of [0, 2, 1, 3]) {
      await settled();
      works[index]?.end();
    }
    expect(await Promise.all(done)).toHaveLength(4);
    expect(log).toEqual(['first', 'release', 'claim', 'another claim']);
  });

  it('do not wait for those of another group', async () => {
    const lanes = new Lanes(new ManualClock());
    const log: string[] = [];
    const [one, other] = [work(log, 'one'), work(log, 'other')];
    const done = [lanes.run('g', false, one.run), lanes.run('h', false, other.run)];
    await settled();
    expect(log).toEqual(['one', 'other']);
    one.end();
    other.end();
    await Promise.all(done);
  });

  it('go on after one that failed', async () => {
    const lanes = new Lanes(new ManualClock());
    const broken = lanes.run('g', false, () => Promise.reject(new Error('broken')));
    const next = lanes.run('g', false, async () => 'next');
    await expect(broken).rejects.toThrow('broken');
    expect(await next).toBe('next');
    expect(await lanes.run('g', false, async () => 'last')).toBe('last');
  });

  it('are refused when it is not their turn for too long; later ones still have theirs', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock);
    const log: string[] = [];
    const [first, old, fresh] = [work(log, 'first'), work(log, 'old'), work(log, 'fresh')];
    const done = [lanes.run('g', false, first.run), lanes.run('g', false, old.run)];
    clock.step(1);
    done.push(lanes.run('g', false, fresh.run));
    clock.step(2999);
    first.end();
    await expect(done[1]).rejects.toMatchObject({ code: 'busy', status: 503 });
    await settled();
    fresh.end();
    await Promise.all([done[0], done[2]]);
    expect(log).toEqual(['first', 'fresh']);
  });
});
