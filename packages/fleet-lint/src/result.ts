/** The findings as one document. */
import { lintWorkflows } from './lint.js';
import type { Finding, LintFile } from './rule.js';

export const LINT_SCHEMA = 'fleet-lint/1';

export interface LintResult {
  schema: typeof LINT_SCHEMA;
  /** No error; with `strict` no warning either. */
  passed: boolean;
  findings: Finding[];
  counts: { errors: number; warnings: number };
  /** Paths that were read. */
  files: string[];
}

/** Lints the files; `strict` lets warnings fail too. */
export function lintResult(files: readonly LintFile[], options: { strict?: boolean } = {}): LintResult {
  const findings = lintWorkflows(files);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  return {
    schema: LINT_SCHEMA,
    passed: errors === 0 && (!options.strict || warnings === 0),
    findings,
    counts: { errors, warnings },
    files: files.map(({ path }) => path),
  };
}
