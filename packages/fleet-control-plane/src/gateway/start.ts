import { type Clock as CoreClock, systemHttp } from '@tenant-fleet/fleet-core';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { GatewayRoller } from './roller.js';
import { Tenants } from './tenants.js';
import { Upstream } from './upstream.js';

export interface UpstreamOptions {
  /** Base URL of the control plane that rolls. */
  url: string;
  /** File with the token that it takes; read for every call. */
  tokenFile: string;
  /** Address of a tenant with `{slug}` in it: whoever can be asked shows the end of a roll whose answer was lost. */
  tenantUrl?: string;
  /** Slugs of the fleet, for an upstream that rolls at a dry run: none is sent to it then. */
  tenants?: string[];
}

/** The roller of the mode `gateway`. */
export function startGateway(
  options: UpstreamOptions,
  {
    db,
    clock,
    stopping,
    log,
  }: { db: Database; clock: Clock; stopping: AbortSignal; log: (line: string) => void },
): GatewayRoller {
  const http = systemHttp(coreClock(clock), { env: process.env });
  const { tenantUrl, tenants: fleet } = options;
  if (!fleet)
    log(
      'dry runs are handed to the upstream, and each answer is checked to be a plan; --tenants-file keeps them here',
    );
  if (!tenantUrl)
    log(
      'a roll whose answer is lost counts as running for its longest time; --tenant-url lets the tenants show its end',
    );
  return new GatewayRoller({
    ...{ db, stopping, log, fleet },
    upstream: new Upstream(options.url.replace(/\/+$/, ''), options.tokenFile, http),
    tenants: tenantUrl === undefined ? undefined : new Tenants(tenantUrl, http, stopping),
  });
}

const coreClock = (clock: Clock): CoreClock => ({
  monotonic: () => clock.now(),
  wall: () => clock.wall(),
  timer: (ms, fire) => clock.after(ms, fire),
});
