/** The findings as one document. */
import { lintWorkflows } from './lint.js';
import type { Server } from './repository/servers.js';
import type { Finding } from './rule.js';
import type { LintFile } from './syntax/place.js';

/** Name and version of the document. */
export const LINT_SCHEMA = 'fleet-lint/1';

/** What the document holds. */
export interface LintResult {
  schema: typeof LINT_SCHEMA;
  /** No error; with `strict` no warning either. */
  passed: boolean;
  /** By file, line and column. */
  findings: Finding[];
  counts: { errors: number; warnings: number };
  /** Paths that were read. */
  files: string[];
}

/** What a caller may ask for. */
export interface LintOptions {
  /** Warnings fail too. Default: false. */
  strict?: boolean;
  /** Only what concerns this server. Default: all. */
  server?: Server;
}

/**
 * Lints the files. Never throws, whatever they hold.
 *
 * @param files All that the linter may look at, as {@link readRepository} gives them.
 */
export function lintResult(files: readonly LintFile[], options: LintOptions = {}): LintResult {
  const findings = lintWorkflows(files, options);
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
