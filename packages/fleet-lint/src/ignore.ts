/** Comments that take one finding back: `# fleet-lint-ignore rule-id: reason`. */

import type { Finding, Report, Rule } from './rule.js';
import type { Place } from './syntax/place.js';
import type { Source } from './syntax/source.js';

export interface Ignore {
  place: Place;
  rule: string;
  reason: string;
  /** Line whose findings it concerns. */
  line: number;
}

const COMMENT = /(^|\s)#\s*fleet-lint-ignore\b[ \t]*([\w-]*)[ \t]*(?::[ \t]*(.*?))?\s*$/;

/** A comment at the end of a line concerns that line; one on a line of its own the next line that is no comment. */
export function ignoresIn({ path, lines }: Source): Ignore[] {
  return lines.flatMap((text, at): Ignore[] => {
    const match = COMMENT.exec(text);
    if (!match) return [];
    let line = at + 1;
    if (/^\s*#/.test(text)) {
      do line++;
      while (/^\s*(?:#|$)/.test(lines[line - 1] ?? 'end'));
    }
    const place = { file: path, line: at + 1, column: text.indexOf('#', match.index) + 1 };
    return [{ place, rule: match[2] ?? '', reason: match[3] ?? '', line }];
  });
}

// Their checks need the findings of all others, so they run after these.
const later = () => {};

export const ignoreWithoutReason: Rule = {
  id: 'ignore-without-reason',
  severity: 'warning',
  shape: '`fleet-lint-ignore` without a rule or a reason',
  why: 'nobody can tell later whether it still holds; it ignores nothing',
  next: 'write `# fleet-lint-ignore rule-id: reason`',
  check: later,
};

export const unusedIgnore: Rule = {
  id: 'unused-ignore',
  severity: 'warning',
  shape: '`fleet-lint-ignore` that matches no finding',
  why: 'it hides the next finding of that rule in this place',
  next: 'take it away, or put it on the line of the finding or the line above',
  check: later,
};

/** Takes ignored findings out, and reports the comments that take out nothing. */
export function withoutIgnored(
  findings: readonly Finding[],
  sources: readonly Source[],
  report: (rule: Rule) => Report,
): Finding[] {
  const taken = new Set<Finding>();
  for (const ignore of sources.flatMap(ignoresIn)) {
    const { rule, reason, line, place } = ignore;
    if (!rule || !reason) {
      report(ignoreWithoutReason)(
        place,
        rule ? `\`${rule}\` is not ignored: there is no reason` : 'which rule, and why?',
      );
      continue;
    }
    const matches = findings.filter(
      (one) => one.file === place.file && one.line === line && one.rule === rule,
    );
    for (const one of matches) taken.add(one);
    if (!matches.length) report(unusedIgnore)(place, `no finding of \`${rule}\` in line ${line}`);
  }
  return findings.filter((one) => !taken.has(one));
}
