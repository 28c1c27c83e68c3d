import { describe, expect, test } from 'vitest';
import type { WaitedFor } from '../../src/contract.js';
import { holderInWords } from '../../src/render/holder.js';

describe('a holder', () => {
  test.each<[WaitedFor, string]>([
    [{ name: 'fleet' }, 'fleet'],
    [
      {
        name: 'fleet',
        actor: 'anna',
        held_for_seconds: 250,
        step: 'rolling canary',
        alive: true,
        run_url: 'https://x/7',
        host: 'h',
        sha: 'b'.repeat(40),
      },
      'fleet (anna@h) for 4m 10s, doing: rolling canary, commit bbbbbbb, https://x/7',
    ],
    [
      { name: 'fleet', held_for_seconds: 0, alive: false, host: 'runner-1' },
      'fleet for 0ms, does not renew any more, on runner-1',
    ],
    [{ name: 'x\n::error::y', run_url: 'javascript:alert(1)', host: 'a\tb' }, 'x : :error: :y, on a b'],
  ])('%j in words', (holder, words) => {
    expect(holderInWords(holder)).toBe(words);
  });
});
