/** The linter as one pure function. */
import { oneLine } from '@tenant-fleet/fleet-core';
import { withoutIgnored } from './ignore.js';
import { readProject } from './repository/project.js';
import type { Finding, Report, Rule } from './rule.js';
import { ALL_RULES } from './rules.js';
import type { LintFile } from './syntax/place.js';

/**
 * Finds the shapes in workflows, local actions and `fleet.config.yaml` that make a deploy silently not happen, or happen
 * wrongly. Never throws, whatever the files hold.
 *
 * @param files All that the linter may look at, as {@link readRepository} gives them.
 * @returns Findings by file, line and column.
 */
export function lintWorkflows(files: readonly LintFile[]): Finding[] {
  const project = readProject(files);
  const findings: Finding[] = [];
  const reportTo =
    (list: Finding[]) =>
    ({ id, severity, elsewhere, why, remedy }: Rule): Report =>
    (place, message, own) => {
      const usual = elsewhere && !project.fileRolls(place.file) ? elsewhere : severity;
      list.push({ ...place, rule: id, severity: own ?? usual, message: oneLine(message, 300), why, remedy });
    };
  for (const rule of ALL_RULES) rule.check(project, reportTo(findings)(rule));
  const own: Finding[] = [];
  const kept = withoutIgnored(findings, project.sources, reportTo(own));
  return [...kept, ...own].sort(
    (one, other) =>
      compare(one.file, other.file) ||
      one.line - other.line ||
      one.column - other.column ||
      compare(one.rule, other.rule),
  );
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
