/** Files of a repository and places in them. */

/** A file of a repository. */
export interface LintFile {
  /** From the root of the repository, with forward slashes. */
  path: string;
  /** Its content; empty for a link. */
  text: string;
  /** It is a symbolic link, or stands for a folder that is one: servers read what git stores, which is the link itself. */
  link?: boolean;
}

/** A place in a file. */
export interface Place {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
}
