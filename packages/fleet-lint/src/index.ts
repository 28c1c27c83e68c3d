/** Finds what makes a deploy by Gitea, Forgejo or GitHub Actions silently not happen, or happen wrongly. */
export { lintWorkflows } from './lint.js';
export {
  CHECKOUT,
  type Left,
  type Replacement,
  type ReplaceOptions,
  replaceCalls,
} from './replace/replace.js';
export { readRepository } from './repository/read.js';
export { parseServer, SERVERS, type Server } from './repository/servers.js';
export { LINT_SCHEMA, type LintOptions, type LintResult, lintResult } from './result.js';
export type { Finding, RuleText, Severity } from './rule.js';
export { RULES } from './rules.js';
export { type SarifFinding, type SarifLog, type SarifRule, type SarifRun, sarifOf } from './sarif.js';
export type { LintFile, Place } from './syntax/place.js';
