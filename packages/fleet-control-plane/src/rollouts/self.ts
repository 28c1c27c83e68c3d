/** How a rollout reaches the very server that it runs in: over HTTP as everybody does, on a door of its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Http, HttpFailure, systemClock, systemHttp } from '@tenant-fleet/fleet-core';
import type { App } from '../http/app.js';

/** Stands for this server in the configuration of a rollout. It leads nowhere, and nobody outside is to read it. */
export const SELF_URL = 'https://this-control-plane.invalid';

const SELF_ALONE = new RegExp(`(?:the (?:control plane|lock server) at )?${SELF_URL}(?![/\\w])`, 'g');
const SELF_WITH_PATH = new RegExp(`${SELF_URL}(/[\\w/.-]*)`, 'g');

/** A text as it may leave the process. */
const readable = (text: string): string =>
  text.replaceAll(SELF_ALONE, 'this control plane').replaceAll(SELF_WITH_PATH, '$1 of this control plane');

/** An event or a result as it may leave the process: whoever watches knows by which address they ask. */
export function withoutSelf<T>(value: T): T {
  const text = JSON.stringify(value);
  if (!text.includes(SELF_URL)) return value;
  return JSON.parse(text, (_key, inner) => {
    if (inner === SELF_URL) return undefined;
    return typeof inner === 'string' ? readable(inner) : inner;
  });
}

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
      const { url, body } = request;
      const sent = { ...request, body: body && readable(body), signal };
      if (!url.startsWith(`${SELF_URL}/`)) return outside(sent);
      return inside({ ...sent, url: `http://127.0.0.1:${port}${url.slice(SELF_URL.length)}` });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
