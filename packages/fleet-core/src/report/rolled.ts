/** What was rolled and what was not, for the sentence in which a run ends. */
import { nameList } from '../text/words.js';
import type { Ledger } from '../verify/ledger.js';

/** Tenants that this run rolled, or may have. */
export const rolledOf = (ledger: Ledger): string[] =>
  ledger.slugs.filter((slug) => ledger.get(slug).phase !== null);

/** `; rolled: acme; not rolled: birch` for a run that stopped half-way; empty where nothing was rolled. */
export function halfWay(ledger: Ledger): string {
  const rolled = rolledOf(ledger);
  if (!rolled.length) return '';
  const open = ledger.slugs.filter((slug) => ledger.get(slug).phase === null && !ledger.isOnTarget(slug));
  return `; rolled: ${nameList(rolled, 10)}${open.length ? `; not rolled: ${nameList(open, 10)}` : ''}${twice(ledger)}`;
}

/** A second roll is no fault where it was needed, and never goes unsaid. */
export function twice(ledger: Ledger): string {
  const these = ledger.slugs.filter((slug) => ledger.get(slug).rolls > 1);
  const before = (where: 'here' | 'elsewhere') =>
    rolledOf(ledger).filter((slug) => ledger.get(slug).rolledBefore === where);
  const say = (what: string, slugs: string[]) => (slugs.length ? `; ${what}: ${nameList(slugs)}` : '');
  return (
    say('may have been rolled twice', these) +
    say('rolled once more after an earlier run', before('here')) +
    say('rolled although on target, after an earlier run to another commit', before('elsewhere'))
  );
}
