/** The events of a run as NDJSON, one document a line, for programs that follow it. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { FleetEvent } from '@tenant-fleet/fleet-core';
import type { Terminal } from './console.js';

/** @param path A file, which is begun anew, or `-` for stdout. What cannot be written is said once, and ends nothing. */
export function eventFile(path: string, terminal: Terminal) {
  if (path === '-') {
    return { write: (event: FleetEvent) => terminal.document(event, 0), close: async () => {} };
  }
  const file = createWriteStream(path);
  file.once('error', (error: NodeJS.ErrnoException) => {
    terminal.error(`--events: ${path} cannot be written (${error.code ?? 'unknown reason'})`);
  });
  return {
    write: (event: FleetEvent) => void (file.writable && file.write(`${JSON.stringify(event)}\n`)),
    close: async () => {
      if (file.writable) await finished(file.end()).catch(() => {});
    },
  };
}
