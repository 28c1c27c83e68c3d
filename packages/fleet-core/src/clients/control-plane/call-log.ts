import type { CallResult } from '../../result/result.js';

/** Every call of a run, for the report. */
export class CallLog {
  readonly entries: CallResult[] = [];
  /** The control plane has answered anything: from then on a refused connection is an outage, not a typo. */
  reached = false;
}
