/** What somebody sees who watches a fleet: the document of `fleet watch`. */

// Types alone: the schemas are for whoever reads a document, and a run does not load them.
export type { Finding, FindingKind, LastLook, WatchReport } from './documents/watch.js';

export const WATCH_SCHEMA = 'fleet-watch/1';
