import type { ConformanceReport } from '../report.js';

/** Characters that no XML document may hold. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) =>
  text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

/** The report as JUnit XML, which CI servers show as tests. */
export function renderJunit({ url, counts, duration_ms, cases }: ConformanceReport): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const body = cases.map(({ id, title, status, detail, loses, duration_ms: ms }) => {
    const open = `    <testcase classname="section ${id.split('.')[0]}" name="${escaped(`${id} ${title}`)}" time="${seconds(ms)}"`;
    const said = escaped(detail ?? '');
    if (status === 'passed') return `${open}/>`;
    const inner =
      status === 'skipped'
        ? `<skipped message="${said}"/>`
        : `<failure message="${said}">${escaped(`without it: ${loses}`)}</failure>`;
    return `${open}>\n      ${inner}\n    </testcase>`;
  });
  const { passed, missed, skipped } = counts;
  const totals = `tests="${passed + missed + skipped}" failures="${missed}" skipped="${skipped}" time="${seconds(duration_ms)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    `  <testsuite name="${escaped(`conformance of ${url}`)}" ${totals}>`,
    ...body,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
