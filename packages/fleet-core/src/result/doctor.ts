/** What stands in the way of a deploy from here: the document of `fleet doctor`. */
export const DOCTOR_SCHEMA = 'fleet-doctor/1';

/** `skipped`: nothing is configured that needs it, or what it builds on is not there. */
export type CheckState = 'ok' | 'warning' | 'problem' | 'skipped';

export interface DoctorCheck {
  /** What was looked at: stable, for programs. */
  name: string;
  state: CheckState;
  says: string;
  /** What mends it, as a command where one does; null: nothing has to be done. */
  next: string | null;
}

export interface DoctorReport {
  schema: typeof DOCTOR_SCHEMA;
  /** ISO 8601. */
  at: string;
  environment: string | null;
  /** In the order in which they build on each other. */
  checks: DoctorCheck[];
  /** 1 where there is a problem; warnings alone are 0. */
  exit_code: 0 | 1;
}
