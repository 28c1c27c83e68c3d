import type { Counts, TenantResult } from './report.js';
export interface Ledger {
  counts(): Counts;
  results(): TenantResult[];
}
