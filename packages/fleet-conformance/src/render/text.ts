import type { CaseResult, ConformanceReport } from '../report.js';

const WORDS = { passed: 'ok  ', missed: 'MISS', skipped: 'skip' };

/** One case as lines for people. */
export function renderCase({ id, title, status, detail, loses }: CaseResult): string[] {
  return [
    `${WORDS[status]} ${id} ${title}`,
    ...(detail === null ? [] : [`          ${status === 'missed' ? 'seen: ' : ''}${detail}`]),
    ...(loses === null ? [] : [`          without it: ${loses}`]),
  ];
}

/** The last line. */
export function renderConformance({ url, mode, counts, conforms }: ConformanceReport): string {
  const { passed, missed, skipped } = counts;
  const said = `${passed} passed, ${missed} missed, ${skipped} skipped (${mode} mode)`;
  if (missed > 0) return `${url} does not keep the contract: ${said}`;
  return conforms
    ? `${url} keeps the contract as far as it was tried: ${said}`
    : `nothing of ${url} was tried: ${said}`;
}
