/** Schedules as Gitea's own parser of them has it (robfig/cron): five fields, a time zone before them, or a word. */

const NAMES = {
  month: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  weekday: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

const FIELDS = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: NAMES.month },
  { name: 'weekday', min: 0, max: 6, names: NAMES.weekday },
];

const WORDS = /^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every\s+\S+)$/;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Why no server runs anything on a schedule; undefined where one does. */
export function cronProblem(text: string): string | undefined {
  const spec = text.trim().replace(/^(?:CRON_)?TZ=\S+\s+/, '');
  if (spec.startsWith('@')) return WORDS.test(spec) ? undefined : 'no server knows this word';
  const fields = spec.split(/\s+/);
  if (fields.length !== 5) return `five fields make a schedule, not ${fields.length}`;
  const values: number[][] = [];
  for (const [at, { name, min, max, names }] of FIELDS.entries()) {
    const found = (fields[at] ?? '').split(',').map((part) => valuesOf(part, min, max, names));
    if (found.includes(undefined)) return `${name} \`${fields[at]}\` is not within ${min} to ${max}`;
    values.push(found.flatMap((some) => some ?? []));
  }
  const [, , days = [], months = []] = values;
  // With a weekday of its own either of the two is enough.
  const anyWeekday = /^[*?]/.test(fields[4] ?? '');
  if (anyWeekday && !months.some((month) => days.some((day) => day <= (DAYS[month - 1] ?? 0))))
    return 'no year has such a day';
  return undefined;
}

/** The numbers of `*`, `5`, `1-5`, `10/2` or `mon-fri`; undefined where it is none of them. */
function valuesOf(part: string, min: number, max: number, names: readonly string[]): number[] | undefined {
  const match = /^(?:([*?])|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
  if (!match) return undefined;
  const [, any, first = '', last, by] = match;
  const number = (word: string) => {
    const named = word === '' ? -1 : names.indexOf(word.toLowerCase());
    return named >= 0 ? named : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  const from = any ? min : number(first);
  const to = any || (by !== undefined && last === undefined) ? max : number(last ?? first);
  const step = by === undefined ? 1 : Number(by);
  if (!(from >= min && to <= max && from <= to && step >= 1)) return undefined;
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}
