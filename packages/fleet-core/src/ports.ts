/** Everything that the library takes from its surroundings. Nothing else in the library reaches outside. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { FleetEvent } from './events/events.js';
import { type Clock, systemClock } from './io/clock.js';
import { type Http, systemHttp } from './io/http.js';

export interface Random {
  /** A number from 0 up to, not including, 1. Spreads polls; nothing secret depends on it. */
  fraction(): number;
  /** A random UUID, version 4. */
  uuid(): string;
  /** An unguessable text of letters, digits, `-` and `_`. */
  session(): string;
}

export interface Ports {
  clock: Clock;
  random: Random;
  http: Http;
  /** Receives every event of a run, in order. Must not throw; what it throws is ignored. */
  emit: (event: FleetEvent) => void;
  /** Reads a small UTF-8 file (configuration, token). */
  readFile: (path: string) => Promise<string>;
  /** Folder that relative paths begin at. */
  folder: () => string;
  /** Name of this machine, shown to people who wait for the lock. */
  hostname: () => string;
}

export const systemRandom: Random = {
  fraction: () => Math.random(),
  uuid: () => randomUUID(),
  session: () => randomBytes(18).toString('base64url'),
};

/** The real surroundings; any part can be replaced. */
export function systemPorts(overrides: Partial<Ports> = {}): Ports {
  const clock = overrides.clock ?? systemClock;
  return {
    clock,
    random: systemRandom,
    http: systemHttp(clock, { env: process.env }),
    emit: () => {},
    readFile: (path) => readFile(path, 'utf8'),
    folder: () => process.cwd(),
    hostname,
    ...overrides,
  };
}
