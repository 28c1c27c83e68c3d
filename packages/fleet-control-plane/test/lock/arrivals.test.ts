import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../src/lock/store/arrivals.js';
import { ManualClock } from '../support/clock.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Arrivals by name, and the turns that they were given. A turn comes when the test says so. */
function stage() {
  const clock = new ManualClock();
  const turns: { take: () => string[]; fail: () => void }[] = [];
  const arrivals = new Arrivals(
    (group) =>
      new Promise((resolve, reject) => {
        const take = () => {
          const taken = arrivals.take(group);
          for (const { ask, resolve: answer } of taken) answer({ value: ask.subject });
          resolve();
          return taken.map(({ ask }) => ask.subject);
        };
        turns.push({ take, fail: () => reject(new Error('no turn')) });
      }),
    clock,
  );
  const join = (name: string, patient: boolean, group = 'g') =>
    arrivals.join(group, { ask: { subject: name, arrives: true }, decide: () => name }, patient);
  return { clock, turns, arrivals, join };
}

describe('new claims of one group in one process', () => {
  it('go together with those that came before their turn, in order', async () => {
    const { turns, join } = stage();
    const done = ['a', 'b', 'c'].map((name) => join(name, false));
    expect(turns).toHaveLength(1);
    expect(turns[0]?.take()).toEqual(['a', 'b', 'c']);
    expect(await Promise.all(done)).toEqual(['a', 'b', 'c'].map((value) => ({ value })));
  });

  it('get another turn when they come after one', () => {
    const { turns, join } = stage();
    for (const name of ['a', 'b']) {
      join(name, false);
      expect(turns.at(-1)?.take()).toEqual([name]);
    }
    expect(turns).toHaveLength(2);
  });

  it('do not go with those of another group', () => {
    const { turns, join } = stage();
    join('a', false);
    join('b', false, 'h');
    expect(turns.map(({ take }) => take())).toEqual([['a'], ['b']]);
  });

  it('are kept back for 5 ms while they can only wait', () => {
    const { clock, turns, join } = stage();
    join('a', true);
    clock.step(4.9);
    join('b', true);
    expect(turns).toHaveLength(0);
    clock.step(0.1);
    expect(turns.map(({ take }) => take())).toEqual([['a', 'b']]);
  });

  it('go at once when one comes that may not be kept back', () => {
    const { clock, turns, join } = stage();
    join('a', true);
    join('b', false);
    expect(turns.map(({ take }) => take())).toEqual([['a', 'b']]);
    clock.step(5);
    expect(turns).toHaveLength(1);
  });

  it('go at once when there is nothing to wait for any more', () => {
    const { clock, turns, arrivals, join } = stage();
    join('a', true);
    arrivals.hurry('h');
    expect(turns).toHaveLength(0);
    arrivals.hurry('g');
    expect(turns.map(({ take }) => take())).toEqual([['a']]);
    clock.step(5);
    expect(turns).toHaveLength(1);
  });

  it('need no turn of their own when another transition took them along', () => {
    const { clock, turns, arrivals, join } = stage();
    join('a', true);
    expect(arrivals.take('g').map(({ ask }) => ask.subject)).toEqual(['a']);
    clock.step(5);
    expect(turns).toHaveLength(0);
    join('b', true);
    clock.step(5);
    expect(turns.map(({ take }) => take())).toEqual([['b']]);
  });

  it('go six at a time, and the rest without waiting again', () => {
    const { clock, turns, join } = stage();
    const names = [...'abcdefghijklmn'];
    for (const name of names) join(name, true);
    clock.step(5);
    const taken = [0, 1, 2].map((turn) => turns[turn]?.take());
    expect(taken).toEqual([names.slice(0, 6), names.slice(6, 12), names.slice(12)]);
    expect(turns).toHaveLength(3);
  });

  it('are told when there was no turn for them, and the next ones get theirs', async () => {
    const { turns, join } = stage();
    const lost = [join('a', false), join('b', false)].map((done) => done.catch((error) => error.message));
    turns[0]?.fail();
    expect(await Promise.all(lost)).toEqual(['no turn', 'no turn']);
    await settled();
    join('c', false);
    expect(turns[1]?.take()).toEqual(['c']);
  });
});
