/** What a rule is, and what it finds. */
import type { Project } from './repository/project.js';
import type { Server } from './repository/servers.js';
import type { Place } from './syntax/place.js';

/** `error`: a deploy does not happen, or happens wrongly. `warning`: it does on some server, runner or day. */
export type Severity = 'error' | 'warning';

/** One thing that was found, at its place. */
export interface Finding extends Place {
  /** Id of the rule, kebab-case; ids never change their meaning. */
  rule: string;
  severity: Severity;
  /** What is wrong here, in one line of at most 300 characters. */
  message: string;
  /** Why it bites, and on which server or runner. */
  why: string;
  /** What to do about it. */
  next: string;
}

/** Takes one finding; a severity of its own goes before that of the rule. */
export type Report = (place: Place, message: string, severity?: Severity) => void;

/** What people read of a rule. */
export interface RuleText {
  /** Stable, kebab-case. */
  id: string;
  severity: Severity;
  /** Severity in a workflow that deploys nothing, where it differs. */
  elsewhere?: Severity;
  /** Servers that it concerns. Default: all. */
  servers?: readonly Server[];
  /** The shape that is found, in Markdown. */
  shape: string;
  /** Why it bites, and on which server or runner. */
  why: string;
  /** What to do about it. */
  next: string;
}

/** A rule with its check. */
export interface Rule extends RuleText {
  check(project: Project, report: Report): void;
}
