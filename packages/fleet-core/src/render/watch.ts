/** What a watch found, as plain lines. */
import type { WatchReport } from '../result/watch.js';
import { oneLine } from '../text/sanitize.js';
import { plural } from '../text/words.js';
import type { Tone } from './event.js';

/** The verdict, each finding with what to type, and what was not looked at. */
export function renderWatch({
  environment,
  at,
  findings,
  unwatched,
  warnings,
}: WatchReport): { text: string; tone: Tone }[] {
  const fleet = environment ? oneLine(environment, 100) : 'The fleet';
  const found = findings.length ? plural(findings.length, 'finding') : 'all is well';
  return [
    { text: `${fleet} at ${at.slice(11, 19)}Z: ${found}`, tone: findings.length ? 'bad' : 'good' },
    ...findings.flatMap(({ kind, says, next }) => [
      { text: `  ${kind}: ${oneLine(says, 500)}`, tone: 'warn' as const },
      ...(next ? [{ text: `  Next: ${oneLine(next, 1000)}`, tone: 'plain' as const }] : []),
    ]),
    ...unwatched.map((what) => ({ text: `  Not looked at, ${oneLine(what, 400)}`, tone: 'quiet' as const })),
    ...warnings.map((warning) => ({ text: `  Warning: ${oneLine(warning, 400)}`, tone: 'warn' as const })),
  ];
}
