/** Finds what makes a deploy by Gitea Actions silently not happen, or happen wrongly. */
export { lintWorkflows } from './lint.js';
export { LINT_SCHEMA, type LintResult, lintResult } from './result.js';
export type { Finding, LintFile, Place, Rule, Severity } from './rule.js';
export { RULE_GROUPS, RULES } from './rules.js';
