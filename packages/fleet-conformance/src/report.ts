export const CONFORMANCE_SCHEMA = 'fleet-conformance/1';

/** How one case came out. */
export interface CaseResult {
  /** Section and number, as `4.07`. */
  id: string;
  title: string;
  status: 'passed' | 'missed' | 'skipped';
  /** What was seen, or why it was skipped; null where it passed. */
  detail: string | null;
  /** What a user loses by the miss; null for any other. */
  loses: string | null;
  duration_ms: number;
}

/** What a control plane was held against, and how it came out. */
export interface ConformanceReport {
  schema: typeof CONFORMANCE_SCHEMA;
  url: string;
  /** `safe`: nothing was rolled. */
  mode: 'safe' | 'full';
  /** What the server says that it can do. */
  features: string[];
  conforms: boolean;
  counts: { passed: number; missed: number; skipped: number };
  duration_ms: number;
  cases: CaseResult[];
}
