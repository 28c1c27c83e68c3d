/** Client of rollouts that the server runs: one request each, parsed, and what is refused as an error. */
import type * as z from 'zod';
import {
  IDEMPOTENCY_HEADER,
  LOCKS_PATH,
  lockCollectionSchema,
  type Problem,
  type RolloutDeed,
  type RolloutEvents,
  type RolloutOrder,
  rolloutEventsSchema,
  SERVER_ROLLOUTS_PATH,
  type ServerRollout,
  type ServerRolloutState,
  serverRolloutSchema,
  serverRolloutsSchema,
} from '../../contract.js';
import { FleetError, isFleetError } from '../../errors.js';
import { type Http, HttpFailure } from '../../io/http.js';
import { isProxyPage } from '../../io/proxy-page.js';
import { parseJson } from '../../text/json.js';
import { oneLine, redact } from '../../text/sanitize.js';
import { nextOf, problemOf, statusInWords } from './problem.js';

/** The verdict of a large fleet is megabytes, and stands in the last of the events too. */
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 15_000;

/** The server gave no usable answer: worth another try. */
export class Unanswered extends Error {}

export interface RolloutFilter {
  environment?: string;
  state?: ServerRolloutState;
  /** 1 to 100. */
  limit?: number;
}

export class RolloutsClient {
  /** Private: it knows the token. */
  readonly #server: { url: string; token: string; http: Http };

  constructor(server: { url: string; token: string; http: Http }) {
    this.#server = server;
  }

  /**
   * Asks, before anything else, whether the server runs rollouts. A token that may not read leaves it open.
   *
   * @throws Unanswered; FleetError `CP_CONTRACT` where it runs none.
   */
  async expectRollouts(signal: AbortSignal): Promise<void> {
    const collection = await this.#call(lockCollectionSchema, 'GET', '', { base: LOCKS_PATH, signal }).catch(
      (error) => {
        if (!isFleetError(error) || error.code !== 'CP_UNAUTHORIZED') throw error;
        return null;
      },
    );
    if (collection && !collection.features?.includes('server-rollouts')) throw this.#runsNone();
  }

  /**
   * Hands a rollout over. The same key and order again name the same rollout.
   *
   * @throws Unanswered; FleetError `GATE_REFUSED` where the server does not take it, `CP_*`.
   */
  start(order: RolloutOrder, key: string, signal: AbortSignal): Promise<ServerRollout> {
    return this.#call(serverRolloutSchema, 'POST', '', {
      body: order,
      headers: { [IDEMPOTENCY_HEADER]: key },
      signal,
    });
  }

  /** Newest first. @throws Unanswered; FleetError `GATE_REFUSED`, `CP_*`. */
  async list(filter: RolloutFilter, signal: AbortSignal | undefined): Promise<ServerRollout[]> {
    const query = new URLSearchParams(
      Object.entries(filter).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return (await this.#call(serverRolloutsSchema, 'GET', `?${query}`, { signal })).rollouts;
  }

  /** @throws Unanswered; FleetError `GATE_REFUSED`, `CP_*`. */
  read(id: string, signal: AbortSignal | undefined): Promise<ServerRollout> {
    return this.#call(serverRolloutSchema, 'GET', `/${id}`, { signal });
  }

  /** Waits up to `waitSeconds` (at most 25) on the server for events after a number. @throws as {@link read}. */
  events(
    id: string,
    after: number,
    waitSeconds: number,
    signal: AbortSignal | undefined,
  ): Promise<RolloutEvents> {
    const path = `/${id}/events?after=${after}&wait_seconds=${waitSeconds}`;
    return this.#call(rolloutEventsSchema, 'GET', path, { signal, waitSeconds });
  }

  /** @throws Unanswered; FleetError `GATE_REFUSED`, `CP_*`. */
  act(
    id: string,
    deed: RolloutDeed,
    note: { actor: string; reason: string },
    signal: AbortSignal | undefined,
  ): Promise<ServerRollout> {
    return this.#call(serverRolloutSchema, 'POST', `/${id}/${deed}`, { body: note, signal });
  }

  async #call<Schema extends z.ZodType>(
    schema: Schema,
    method: 'GET' | 'POST',
    path: string,
    more: {
      body?: unknown;
      headers?: Record<string, string>;
      signal: AbortSignal | undefined;
      waitSeconds?: number;
      base?: string;
    },
  ): Promise<z.output<Schema>> {
    const { url, token, http } = this.#server;
    const { body, headers, signal, waitSeconds = 0, base = SERVER_ROLLOUTS_PATH } = more;
    try {
      const answer = await http({
        method,
        url: `${url}${base}${path}`,
        headers: { ...headers, authorization: `Bearer ${token}` },
        body: body === undefined ? undefined : JSON.stringify(body),
        timeoutMs: TIMEOUT_MS + waitSeconds * 1000,
        maxBytes: MAX_BYTES,
        signal,
      });
      const json = parseJson(answer.body);
      if (answer.status >= 200 && answer.status < 300) return this.#parse(schema, json);
      const problem = problemOf(json);
      if (answer.status === 429 || (answer.status >= 500 && answer.status !== 501)) {
        throw new Unanswered(
          isProxyPage(answer)
            ? `HTTP ${answer.status} of a proxy in front of it`
            : statusInWords(answer.status, problem),
        );
      }
      throw this.#refused(answer.status, problem);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'aborted') throw signal?.reason ?? error;
      throw new Unanswered(error.message);
    }
  }

  #parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const where = oneLine(parsed.error.issues[0]?.path.join('.') || 'shape', 60);
    throw new FleetError('CP_CONTRACT', `the control plane gave an answer whose ${where} is not as agreed`, {
      next: `check that ${this.#server.url} runs rollouts`,
    });
  }

  #refused(status: number, problem: Problem | undefined): FleetError {
    const said = statusInWords(status, problem);
    const next = nextOf(problem);
    if (status === 401 || status === 403) {
      return new FleetError(
        'CP_UNAUTHORIZED',
        `the control plane does not take the token for this (${said})`,
        {
          next: next ?? 'check FLEET_CP_TOKEN: it may be wrong, rotated, or of another environment',
        },
      );
    }
    if (!problem || problem.error === 'not_found' || status === 501) return this.#runsNone(status);
    return new FleetError('GATE_REFUSED', redact(problem.detail ?? problem.error), {
      outcome: 'refused',
      next,
    });
  }

  #runsNone(status?: number): FleetError {
    const how = status === undefined ? '' : ` (HTTP ${status})`;
    return new FleetError('CP_CONTRACT', `${this.#server.url} runs no rollouts${how}`, {
      next: 'start fleet-control-plane with --config FILE, or roll from here: leave --on-server out',
    });
  }
}
