/** What was examined, a line each, with what mends it below. */
import type { CheckState, DoctorReport } from '../result/doctor.js';
import { oneLine } from '../text/sanitize.js';
import { plural } from '../text/words.js';
import type { Tone } from './event.js';

const TONES: Record<CheckState, Tone> = { ok: 'good', warning: 'warn', problem: 'bad', skipped: 'quiet' };

export function renderDoctor({ checks }: DoctorReport): { text: string; tone: Tone }[] {
  const count = (state: CheckState) => checks.filter((one) => one.state === state).length;
  const bad = count('problem');
  const verdict = `${bad ? plural(bad, 'problem') : 'no problem'}, ${plural(count('warning'), 'warning')}`;
  return [
    ...checks.flatMap(({ name, state, says, next }) => [
      { text: `${state.padEnd(8)}${name}: ${oneLine(says, 500)}`, tone: TONES[state] },
      ...(next ? [{ text: `        next: ${oneLine(next, 500)}`, tone: 'plain' as const }] : []),
    ]),
    { text: `${verdict[0]?.toUpperCase()}${verdict.slice(1)}.`, tone: bad ? 'bad' : 'good' },
  ];
}
