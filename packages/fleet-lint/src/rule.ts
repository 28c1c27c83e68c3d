/** What the linter takes and gives. */
import type { Project } from './repository/project.js';

/** `error`: a deploy does not happen, or happens wrongly. `warning`: it does on some server, runner or day. */
export type Severity = 'error' | 'warning';

/** A file by its path from the root of the repository, with forward slashes. */
export interface LintFile {
  path: string;
  text: string;
}

/** A place in a file; line and column count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface Finding extends Place {
  /** Stable id, kebab-case. */
  rule: string;
  severity: Severity;
  /** What is wrong here. */
  message: string;
  /** Why it bites, and on which server or runner. */
  why: string;
  /** What to do about it. */
  remedy: string;
}

export type Report = (place: Place, message: string, severity?: Severity) => void;

export interface Rule {
  id: string;
  severity: Severity;
  /** Severity in a workflow that deploys nothing, where it differs. */
  elsewhere?: Severity;
  /** The shape, for the table of rules. */
  shape: string;
  why: string;
  remedy: string;
  check(project: Project, report: Report): void;
}
