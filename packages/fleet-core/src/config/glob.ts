/** Globs over slugs, for tenants that may vanish. */
import picomatch from 'picomatch';
import type { Problem } from './setting.js';

/** Slugs that have nothing in common: a glob that takes them all takes everybody. */
const UNLIKE = ['a', 'acme', 'm1', 'tenant-one', 'zeta-corp-42'];

/** What is wrong with a slug or a glob over slugs; null where it is fine. */
export function selectorProblem(glob: string): Problem | null {
  const plain = glob.replace(/\{[a-z0-9*?[\],-]+\}/g, '');
  if (/^[a-z0-9*?[\]{},-]{1,100}$/.test(glob) && !/[{},]/.test(plain)) return null;
  return [
    `${JSON.stringify(glob.slice(0, 120))} is not a glob over slugs`,
    'give each glob on its own, of small letters, digits, "-", "*", "?", "[a-z]" and "{a,b}"',
  ];
}

/** The same for tenants that are never a failure: they cannot be all of them. */
export function globProblem(glob: string): Problem | null {
  const problem = selectorProblem(glob);
  if (problem) return problem;
  if (UNLIKE.every(matcherOf([glob]))) {
    return [
      `${glob} matches every tenant`,
      'an ephemeral tenant is never a failure: name a prefix, for example e2e-*',
    ];
  }
  return null;
}

/** True for slugs that any of the globs matches. */
export function matcherOf(globs: readonly string[]): (slug: string) => boolean {
  const matches = picomatch([...globs]);
  return (slug) => matches(slug);
}
