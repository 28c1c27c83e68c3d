/** Holds a control plane against the wire contract: numbered cases, and what a user loses by each miss. */
import { CASES } from './cases.js';

export type { FleetOptions } from './fleet.js';
export { renderJunit } from './render/junit.js';
export { renderCase, renderConformance } from './render/text.js';
export { type CaseResult, CONFORMANCE_SCHEMA, type ConformanceReport } from './report.js';
export { type ConformanceOptions, runConformance } from './run.js';

/** Every case by its id, with what it asks for. */
export const conformanceCases: readonly { id: string; title: string; loses: string }[] = CASES.map(
  ({ id, title, loses }) => ({ id, title, loses }),
);
