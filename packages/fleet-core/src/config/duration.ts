import { usageError } from '../errors.js';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The longest duration that is taken: one week. */
const MAX_MS = 7 * 24 * 3_600_000;

/**
 * Reads `250ms`, `90s`, `4m`, `1h` (a decimal fraction is allowed: `1.5h`) into milliseconds.
 *
 * @throws FleetError `USAGE` for anything else; a bare number is an error, since its unit would be a guess.
 */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (!match) {
    const bare = /^\d+(?:\.\d+)?$/.test(text.trim());
    throw usageError(
      `${option}: ${bare ? `"${text.trim()}" has no unit` : `${JSON.stringify(text.slice(0, 40))} is not a duration`}`,
      {
        option,
        next: bare ? `write ${text.trim()}s or ${text.trim()}m` : 'write for example 250ms, 90s, 4m or 1h',
      },
    );
  }
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  if (ms > MAX_MS)
    throw usageError(`${option}: ${text} is longer than a week`, { option, next: 'give at most 168h' });
  return ms;
}

/** Milliseconds as a person would write them. */
export function asWritten(ms: number): string {
  const units = Object.entries(UNIT_MS).reverse();
  const [unit, size] = units.find(([, size]) => ms % size === 0 && ms >= size) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
