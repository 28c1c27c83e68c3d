/** Finds what makes a deploy by Gitea Actions silently not happen, or happen wrongly. */
export { lintWorkflows } from './lint.js';
export { LINT_SCHEMA, type LintResult, lintResult } from './result.js';
export { RULE_GROUPS, RULES } from './rules.js';
export type { Finding, LintFile, Place, Rule, Severity } from './types.js';
