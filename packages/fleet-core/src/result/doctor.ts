/** What stands in the way of a deploy from here: the document of `fleet doctor`. */

// Types alone: the schemas are for whoever reads a document, and a run does not load them.
export type { CheckState, DoctorCheck, DoctorReport } from './documents/doctor.js';

export const DOCTOR_SCHEMA = 'fleet-doctor/1';
