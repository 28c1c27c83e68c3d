/** What commands share with whoever parses for them. */

/** Flags that say how a command shows itself; one that was not typed is absent. */
export interface OutputFlags {
  json?: boolean;
  color: boolean;
  verbose?: boolean;
  quiet?: boolean;
  yes?: boolean;
  /** File for the events as NDJSON, or `-` for stdout. */
  events?: string;
  reportJson?: string;
  reportHtml?: string;
  reportJunit?: string;
}

/** Sets the exit code of the process once a command is done. */
export type Finish = (exitCode: number) => void;
