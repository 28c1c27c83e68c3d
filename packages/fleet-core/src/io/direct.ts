/**
 * Requests on Node's own client, which takes half the processor time of undici for a connection of its own, and a
 * quarter less with TLS, where all connections share one context.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Body } from './body.js';
import type { Clock } from './clock.js';
import { CONNECT_TIMEOUT_MS, type HttpResponse, type Outgoing } from './exchange.js';

/** A pooled connection that idled longer may be dead without anybody having said so. */
const IDLE_MS = 4_000;
/**
 * A fresh connection to a host resumes the TLS session of the last one: it is as new, and reaches whatever answers
 * there now, but the certificate, which this very process has checked for that host and port, is not checked again.
 */
const SESSIONS_KEPT = 2_000;

export class DirectClient {
  readonly #agents = new Map<string, HttpAgent>();

  constructor(
    private readonly clock: Clock,
    private readonly lookup: LookupFunction,
  ) {}

  /** Sends a request. Rejects with the reason of its signal, and with whatever Node says else. */
  send(outgoing: Outgoing): Promise<HttpResponse> {
    const { url, method, headers, body, end } = outgoing;
    const isTls = url.protocol === 'https:';
    return new Promise<HttpResponse>((resolve, reject) => {
      const call = (isTls ? httpsRequest : httpRequest)({
        agent: this.#agentOf(isTls, outgoing.fresh),
        // Brackets belong to addresses in a URL only.
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: url.pathname + url.search,
        method,
        headers,
      });
      end.onCome((reason) => void call.destroy(reason as Error));
      const cancelConnecting = this.#watch(call, isTls, outgoing);
      let answered = false;
      call.on('response', (answer) => {
        answered = true;
        // Settled at once, before the call says that it has closed.
        read(answer, outgoing, resolve, (error) => {
          reject(error);
          call.destroy();
        });
      });
      call.on('error', reject);
      call.on('close', () => {
        cancelConnecting();
        // The making of an error is dear, and most calls have their answer by then.
        if (!answered) reject(connectionClosed());
      });
      call.end(body);
    });
  }

  /** Tells when the request leaves, and ends it where no connection comes to stand. */
  #watch(call: ClientRequest, isTls: boolean, { sent }: Outgoing): () => void {
    const cancel = this.clock.timer(CONNECT_TIMEOUT_MS, () =>
      call.destroy(Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' })),
    );
    const stands = () => {
      cancel();
      sent();
    };
    call.on('socket', (socket) => {
      if (call.reusedSocket) stands();
      else socket.once(isTls ? 'secureConnect' : 'connect', stands);
    });
    return cancel;
  }

  #agentOf(isTls: boolean, fresh: boolean): HttpAgent {
    const key = `${isTls} ${fresh}`;
    const known = this.#agents.get(key);
    if (known) return known;
    const { lookup } = this;
    const options = fresh ? { keepAlive: false, lookup } : { keepAlive: true, timeout: IDLE_MS, lookup };
    const made = isTls
      ? new HttpsAgent({ ...options, maxCachedSessions: SESSIONS_KEPT, secureContext: createSecureContext() })
      : new HttpAgent(options);
    this.#agents.set(key, made);
    return made;
  }
}

function read(
  answer: IncomingMessage,
  outgoing: Outgoing,
  resolve: (response: HttpResponse) => void,
  reject: (error: unknown) => void,
): void {
  const body = new Body(outgoing);
  answer.on('data', (chunk: Buffer) => {
    try {
      body.push(chunk);
    } catch (error) {
      reject(error);
    }
  });
  answer.on('error', reject);
  answer.on('end', () => {
    if (!answer.complete) return reject(connectionClosed());
    resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer.rawHeaders), body: body.text });
  });
}

function headersOf(raw: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2)
    headers[(raw[index] as string).toLowerCase()] ??= raw[index + 1] as string;
  return headers;
}

const connectionClosed = () => Object.assign(new Error('connection closed'), { code: 'ECONNRESET' });
