/** What the control plane says of each tenant, weighed. */
import { checkSlug } from '../clients/control-plane/slug.js';
import type { RedeployRow } from '../contract.js';
import type { Emit } from '../events/emitter.js';
import type { Ledger, RowReport } from '../verify/ledger.js';

/** Phase of a tenant that was rolled by a call for the whole fleet. */
export const SINGLE_CALL = 'single-call';

/** Weighs what the control plane says of each tenant that it was asked to roll. */
export function applyRows(ledger: Ledger, emit: Emit, slugs: string[], rows: RedeployRow[]): void {
  const reports = new Map<string, RowReport>();
  for (const row of rows) {
    if (!row.slug) continue;
    const slug = checkSlug(row.slug);
    if (!ledger.has(slug)) {
      emit({
        code: 'warning',
        reason: `the control plane reports on ${slug}, which it did not list before`,
      });
      continue;
    }
    const tenant = ledger.get(slug);
    // In one call for all, only the answer says who was rolled when.
    if (tenant.phase === SINGLE_CALL && /^(?:canary|batch-\d{1,5})$/.test(row.phase ?? ''))
      tenant.phase = row.phase ?? null;
    const known = reports.get(slug);
    const next = rowReport(row);
    // Two rows of one tenant that differ: the worse one counts.
    reports.set(slug, known ? worse(known, next) : next);
  }
  for (const slug of slugs) {
    const row = reports.get(slug) ?? null;
    ledger.get(slug).row = row;
    if (!row) ledger.get(slug).note = 'the control plane said nothing about it';
  }
  for (const [slug, row] of reports) if (!slugs.includes(slug)) ledger.get(slug).row = row;
}

function rowReport(row: RedeployRow): RowReport {
  const status = row.ssm_status;
  const code = row.ssm_exit_code;
  const ran = (status === undefined || status === null || status === 'Success') && !code;
  const known = status && /^[A-Za-z]{1,30}$/.test(status) ? status : 'with an unknown status';
  const word = status ? known : 'without a status';
  const failure = !ran
    ? `its redeploy command ended ${word}${code === null || code === undefined ? '' : ` (exit code ${code})`}`
    : row.error
      ? 'its redeploy reported an error'
      : null;
  return {
    healthy: row.healthz_ok ?? null,
    // Absent: an older control plane that does not look. Null: it looked and has no proof.
    verified: row.verified_on_target === undefined ? null : row.verified_on_target === true,
    failure,
  };
}

function worse(a: RowReport, b: RowReport): RowReport {
  const least = (x: boolean | null, y: boolean | null) => (x === false || y === false ? false : (x ?? y));
  return {
    healthy: least(a.healthy, b.healthy),
    verified: least(a.verified, b.verified),
    failure: a.failure ?? b.failure,
  };
}
