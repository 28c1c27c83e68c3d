/** How the gates alone ended: the document of `fleet gates`. */
export const GATES_SCHEMA = 'fleet-gates/1';

export interface GatesResult {
  schema: typeof GATES_SCHEMA;
  outcome: 'passed' | 'refused' | 'held' | 'superseded' | 'interrupted';
  reason: string;
  environment: string | null;
  target_tag: string | null;
  expected_sha: string | null;
  /** ISO 8601. */
  started_at: string;
  finished_at: string;
  /** In the order in which they were asked; those behind one that stops are not asked. */
  gates: { gate: string; passed: boolean; detail: string }[];
  warnings: string[];
  /** What to do next, for people. */
  next: string[];
  /** 0 where every gate is passed, 4 where one is not; 130, 143, 129 where a signal ended it. */
  exit_code: number;
}
