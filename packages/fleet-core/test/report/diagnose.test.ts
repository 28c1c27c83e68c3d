/** The sentence that a failed run ends with names the kind of failure. */
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/report/diagnose.js';
import { Ledger } from '../../src/verify/ledger.js';
import type { Observation } from '../../src/verify/probe.js';

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);
const OTHER = 'c'.repeat(40);
const sha = (value: string): Observation => ({ kind: 'sha', sha: value });
const gone: Observation = { kind: 'unreachable', why: 'connection refused' };
const page: Observation = { kind: 'invalid', why: 'a web page' };

function fleet(
  answers: Record<string, Observation>,
  options: { rolled?: boolean; unhealthy?: boolean } = {},
): Ledger {
  const ledger = new Ledger(NEW, 1, ['e2e-*']);
  for (const slug of Object.keys(answers)) {
    ledger.add(slug);
    ledger.observe(slug, sha(OLD), 0);
  }
  ledger.keepBaseline();
  for (const [slug, answer] of Object.entries(answers)) {
    if (options.rolled !== false) ledger.startRoll(slug, 'batch-1', 0);
    ledger.observe(slug, answer, 0);
    if (options.unhealthy) ledger.get(slug).row = { healthy: false, verified: null, failure: null };
  }
  return ledger;
}
const all = (answer: Observation, count = 4) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, answer]));

describe('the kind of failure', () => {
  test.each<[string, Ledger, string]>([
    [
      'most of four do not answer',
      fleet({ ...all(gone, 3), t3: sha(NEW) }),
      'fleet-wide: 3 of 4 tenants do not answer',
    ],
    [
      'nobody is healthy',
      fleet(all(sha(NEW), 3), { unhealthy: true }),
      'fleet-wide: the control plane calls no tenant healthy',
    ],
    [
      'a web page everywhere',
      fleet(all(page)),
      'blind: every tenant answers something that is not buildinfo',
    ],
    [
      'everybody where it was',
      fleet(all(sha(OLD))),
      'image: every tenant that was rolled still answers aaaaaaa',
    ],
    ['everybody on a third commit', fleet(all(sha(OTHER))), 'the target tag holds another commit'],
    ['dev everywhere', fleet(all({ kind: 'dev' })), 'did not wire its commit into the image'],
    ['three do not answer', fleet(all(gone, 3)), 'look at t0, t1, t2: no answer'],
    [
      'one stays behind',
      fleet({ t0: sha(NEW), t1: sha(OLD) }),
      'look at t1: rolled, and still on another commit',
    ],
    [
      'nothing was rolled',
      fleet({ t0: sha(NEW), t1: sha(OLD) }, { rolled: false }),
      'look at t1: on another commit, and not rolled',
    ],
  ])('%s', (_name, ledger, sentence) => {
    expect(diagnose(ledger, null)[0]).toContain(sentence);
  });

  test('each kind of trouble gets one sentence, and every tenant stands in exactly one', () => {
    const ledger = fleet({ t0: sha(NEW), t1: sha(OLD), t2: gone, t3: page, t4: sha(OLD), t5: sha(NEW) });
    ledger.observe('t5', sha(OLD), 1);
    const said = diagnose(ledger, null);
    expect(said.filter((line) => line.startsWith('look at'))).toEqual([
      'look at t5: flapping between two commits; an old container or replica still serves',
      'look at t2: no answer; does the container start?',
      'look at t3: something else than buildinfo answers; what stands in front?',
      'look at t1, t4: rolled, and still on another commit; an old container, or an image that was not pulled',
    ]);
  });

  test('a halt names what was not rolled, and the last sentence goes on', () => {
    const ledger = fleet({ t0: sha(OLD) });
    expect(diagnose(ledger, { phase: 'canary', unproven: ['t0'], notRolled: ['t1', 't2'] }).at(-1)).toMatch(
      /^not rolled: t1, t2; run the same command again/,
    );
  });
});
