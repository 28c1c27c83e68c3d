/** The forms of a finding. */
import { isFleetError } from '../errors.js';
import type { CheckState, DoctorCheck } from '../result/doctor.js';

const finding =
  (state: CheckState) =>
  (name: string, says: string, next: string | null = null): DoctorCheck => ({ name, state, says, next });

export const ok = finding('ok');
export const warning = finding('warning');
export const problem = finding('problem');
export const skipped = finding('skipped');

/** What an error of a look says. @throws the error where it is a fault of the library. */
export function problemOf(name: string, error: unknown): DoctorCheck {
  if (!isFleetError(error) || error.code === 'INTERNAL') throw error;
  return problem(name, error.message, error.next ?? null);
}
