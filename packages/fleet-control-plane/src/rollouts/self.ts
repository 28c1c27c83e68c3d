/** How a rollout reaches the very server that it runs in: over HTTP as everybody does, on a door of its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Http, HttpFailure, systemClock, systemHttp } from '@tenant-fleet/fleet-core';
import type { App } from '../http/app.js';

/** Stands for this server wherever people read an address. */
export const SELF_URL = 'https://self';

export interface Door {
  /** The HTTP port of a rollout; it fails once `over` aborts, as if the process were gone. */
  http(over: AbortSignal): Http;
  close(): Promise<void>;
}

/** Opens it on loopback, whatever address and TLS the server itself has. Who comes in needs a token here too. */
export async function openDoor(app: App): Promise<Door> {
  const server = createServer((request, response) => app.routing(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const outside = systemHttp(systemClock, { env: process.env });
  const inside = systemHttp(systemClock);
  return {
    http: (over) => async (request) => {
      if (over.aborted) throw new HttpFailure('not_sent', 'this server stops');
      const signal = request.signal ? AbortSignal.any([request.signal, over]) : over;
      const { url } = request;
      if (!url.startsWith(`${SELF_URL}/`)) return outside({ ...request, signal });
      return inside({ ...request, url: `http://127.0.0.1:${port}${url.slice(SELF_URL.length)}`, signal });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
