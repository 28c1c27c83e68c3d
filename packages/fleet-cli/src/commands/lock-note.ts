/** What every change of a lock by a person needs: who does it, and why. */
import { hostname } from 'node:os';
import type { Config, Layers } from '@tenant-fleet/fleet-core/config';
import { type AuditNote, auditNoteOf } from '@tenant-fleet/fleet-core/program';
import { configOf, userName } from '../config.js';
import type { OutputFlags } from '../flags.js';

export interface NoteFlags extends OutputFlags {
  reason?: string;
}

/** @throws FleetError `USAGE` before any request. */
export async function prepareNote(
  flags: Layers['flags'],
  { reason }: NoteFlags,
): Promise<{ config: Config; note: AuditNote }> {
  const config = await configOf('lock', flags);
  return { config, note: auditNoteOf(config, reason, { user: userName(), host: hostname() }) };
}
