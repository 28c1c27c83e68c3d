import { type JunitCase, junitOf } from '@tenant-fleet/fleet-core/render';
import type { ConformanceReport } from '../report.js';

const STATUS = { passed: 'passed', missed: 'failed', skipped: 'skipped' } as const;

/** The report as JUnit XML, which CI servers show as tests. */
export const renderJunit = ({ url, duration_ms, cases }: ConformanceReport): string =>
  junitOf({
    name: `conformance of ${url}`,
    ms: duration_ms,
    cases: cases.map(
      ({ id, title, status, detail, loses, duration_ms: ms }): JunitCase => ({
        ...{ group: `section ${id.split('.')[0]}`, name: `${id} ${title}`, ms, status: STATUS[status] },
        ...{ message: detail, text: `without it: ${loses}` },
      }),
    ),
  });
