/** How the gates alone ended: the document of `fleet gates`. */

// Types alone: the schemas are for whoever reads a document, and a run does not load them.
export type { GatesResult } from './documents/gates.js';

export const GATES_SCHEMA = 'fleet-gates/1';
