/** The linter as one pure function. */
import { oneLine } from '@tenant-fleet/fleet-core/program';
import { withoutIgnored } from './ignore.js';
import { readProject } from './repository/project.js';
import { SERVERS, type Server } from './repository/servers.js';
import type { Finding, Report, Rule } from './rule.js';
import { ALL_RULES } from './rules.js';
import type { LintFile } from './syntax/place.js';

/**
 * Finds the shapes in workflows, local actions and `fleet.config.yaml` that make a deploy silently not happen, or happen
 * wrongly. Never throws, whatever the files hold.
 *
 * @param files All that the linter may look at, as {@link readRepository} gives them.
 * @param options For which server; default: all, so that whatever bites on one of them is found.
 * @returns Findings by file, line and column, each once.
 */
export function lintWorkflows(files: readonly LintFile[], options: { server?: Server } = {}): Finding[] {
  const project = readProject(files, options.server ? [options.server] : SERVERS);
  const findings: Finding[] = [];
  const reportTo =
    (list: Finding[]) =>
    ({ id, severity, elsewhere, servers, why, next }: Rule): Report =>
    (place, message, own) => {
      if (servers && !project.readersOf(place.file).some((one) => servers.includes(one))) return;
      const usual = elsewhere && !project.fileRolls(place.file) ? elsewhere : severity;
      list.push({ ...place, rule: id, severity: own ?? usual, message: oneLine(message, 300), why, next });
    };
  for (const rule of ALL_RULES) rule.check(project, reportTo(findings)(rule));
  const own: Finding[] = [];
  const kept = withoutIgnored(onceEach(findings), project.sources, reportTo(own));
  return [...kept, ...own].sort(
    (one, other) =>
      compare(one.file, other.file) ||
      one.line - other.line ||
      one.column - other.column ||
      compare(one.rule, other.rule),
  );
}

/** What an anchor, or a key of the whole workflow, brings into several jobs is one thing to mend. */
function onceEach(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ rule, file, line, column, message }) => {
    const key = JSON.stringify([rule, file, line, column, message.replaceAll(/job `[^`]*`/g, '')]);
    return !seen.has(key) && seen.add(key);
  });
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
