/** The lock's wire calls, each one request: parse, classify, nothing else. */
import type * as z from 'zod';
import {
  type ClaimQueued,
  type ClaimRequest,
  claimHeldSchema,
  claimQueuedSchema,
  type Draining,
  LOCKS_PATH,
  type LockEvent,
  type LockStatus,
  lockCollectionSchema,
  lockEventsSchema,
  lockStatusSchema,
  type Problem,
  ROLLOUT_MAX_BYTES,
  type RolloutEntry,
  type RolloutRecord,
  type RolloutRequest,
  releaseAnswerSchema,
  renewAnswerSchema,
  rolloutEntrySchema,
  rolloutsSchema,
} from '../../contract.js';
import { FleetError } from '../../errors.js';
import { type Http, HttpFailure } from '../../io/http.js';
import { isProxyPage } from '../../io/proxy-page.js';
import { retryAfterMs } from '../../io/retry-after.js';
import { parseJson } from '../../text/json.js';
import { oneLine } from '../../text/sanitize.js';
import { nextOf, problemOf, statusInWords } from './problem.js';

/** The record of a rollout is the largest answer, with what stands around it. */
const MAX_BYTES = ROLLOUT_MAX_BYTES + 64 * 1024;

export interface LockServer {
  url: string;
  token: string;
  http: Http;
  /** Who asks, for the log of the server. */
  client?: Record<string, string>;
  /** The command may go without a lock: errors name the flag for it. */
  optional?: boolean;
}

/** No usable answer: worth another try, and no proof of anything. */
export interface NoAnswer {
  kind: 'no_answer';
  reason: string;
  retryAfterMs: number | null;
  /** The server said something, if only that it is unable. */
  reached: boolean;
  /** The request may have been delivered, and may have had its effect. */
  sent: boolean;
}

/** A definite no of the lock server. */
export interface Refused {
  kind: 'refused';
  status: number;
  problem: Problem;
}

export type ClaimAnswer =
  | { kind: 'held'; fencingToken: number; ttlMs: number; draining: Draining | null }
  | { kind: 'queued'; queued: ClaimQueued }
  | Refused
  | NoAnswer;

interface CallOptions {
  timeoutMs: number;
  signal?: AbortSignal;
  /** Opens a connection of its own: after a failure the pooled one may be dead without telling. */
  fresh?: boolean;
}

/** What the holder did: `none` is work that is no rollout. */
export type ReleaseResult = 'proven' | 'not_proven' | 'none';

export class LockClient {
  readonly #base: string;

  /** Private: it knows the token. */
  readonly #server: LockServer;

  constructor(
    server: LockServer,
    readonly group: string,
  ) {
    this.#server = server;
    this.#base = `${server.url}${LOCKS_PATH}/${group}`;
  }

  /** Claims, keeps the place, or asks again: the same call each time. @throws FleetError `CP_*`, `LOCK_UNKNOWN_ENDPOINT`. */
  async claim(
    claimId: string,
    request: ClaimRequest,
    waitSeconds: number,
    options: CallOptions,
  ): Promise<ClaimAnswer> {
    const path = `/claims/${claimId}?wait_seconds=${waitSeconds}`;
    const answer = await this.#call('PUT', path, request, options);
    if ('kind' in answer) return answer;
    if (answer.status === 200) {
      const held = this.#parse(claimHeldSchema, answer.json);
      return {
        kind: 'held',
        fencingToken: held.fencing_token,
        ttlMs: held.ttl_seconds * 1000,
        draining: held.draining ?? null,
      };
    }
    return { kind: 'queued', queued: this.#parse(claimQueuedSchema, answer.json) };
  }

  async renew(
    claimId: string,
    body: { session: string; fencing_token: number; step?: string },
    options: CallOptions,
  ): Promise<{ kind: 'held'; ttlMs: number; draining: Draining | null } | Refused | NoAnswer> {
    const answer = await this.#call('POST', `/claims/${claimId}/renew`, body, options);
    if ('kind' in answer) return answer;
    const { ttl_seconds, draining } = this.#parse(renewAnswerSchema, answer.json);
    return { kind: 'held', ttlMs: ttl_seconds * 1000, draining: draining ?? null };
  }

  async release(
    claimId: string,
    body: { session: string; fencing_token?: number; result?: ReleaseResult; rollout?: RolloutRecord },
    options: CallOptions,
  ): Promise<{ kind: 'released'; already: boolean } | Refused | NoAnswer> {
    const answer = await this.#call('POST', `/claims/${claimId}/release`, body, options);
    if ('kind' in answer) return answer;
    return { kind: 'released', already: this.#parse(releaseAnswerSchema, answer.json).already };
  }

  /** What the server can do beyond the first version of the lock; nothing where it does not say. */
  async features(options: CallOptions): Promise<ReadonlySet<string>> {
    const url = this.#server.url + LOCKS_PATH;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#call('GET', '', undefined, options, url).catch(ifUnknown);
      if (answer && !('kind' in answer))
        return new Set(lockCollectionSchema.safeParse(answer.json).data?.features ?? []);
      if (answer?.kind !== 'no_answer' || attempt === 2) return new Set();
    }
  }

  /** Keeps the rollout of a holder as it stands now. */
  async keepRollout(
    claimId: string,
    body: RolloutRequest,
    options: CallOptions,
  ): Promise<{ kind: 'kept' } | Refused | NoAnswer> {
    const answer = await this.#call('POST', `/claims/${claimId}/rollout`, body, options);
    return 'kind' in answer ? answer : { kind: 'kept' };
  }

  async status(
    options: CallOptions & { afterVersion?: number; waitSeconds?: number },
  ): Promise<{ kind: 'status'; status: LockStatus } | Refused | NoAnswer> {
    const query =
      options.afterVersion === undefined
        ? ''
        : `?after_version=${options.afterVersion}&wait_seconds=${options.waitSeconds ?? 0}`;
    const answer = await this.#call('GET', `/${query}`, undefined, options);
    return 'kind' in answer ? answer : { kind: 'status', status: this.#parse(lockStatusSchema, answer.json) };
  }

  /** The audit log after an event number, oldest first, one page. */
  async events(
    after: number,
    options: CallOptions,
  ): Promise<{ kind: 'events'; events: LockEvent[] } | Refused | NoAnswer> {
    const answer = await this.#call('GET', `/events?after=${after}`, undefined, options);
    return 'kind' in answer
      ? answer
      : { kind: 'events', events: this.#parse(lockEventsSchema, answer.json).events };
  }

  /** Rollouts on record, newest first, without tenants: at most `limit` (1 to 100), under tokens lower than `before`. */
  async rollouts(
    page: { limit: number; before?: number; outcome?: string },
    options: CallOptions,
  ): Promise<{ kind: 'rollouts'; rollouts: RolloutEntry[] } | Refused | NoAnswer> {
    const query = Object.entries(page).map(([name, value]) => `${name}=${value}`);
    const answer = await this.#call('GET', `/rollouts?${query.join('&')}`, undefined, options);
    if ('kind' in answer) return answer;
    return { kind: 'rollouts', rollouts: this.#parse(rolloutsSchema, answer.json).rollouts };
  }

  /** One rollout with its tenants. */
  async rollout(
    claimId: string,
    options: CallOptions,
  ): Promise<{ kind: 'rollout'; entry: RolloutEntry } | Refused | NoAnswer> {
    const answer = await this.#call('GET', `/rollouts/${claimId}`, undefined, options);
    if ('kind' in answer) return answer;
    return { kind: 'rollout', entry: this.#parse(rolloutEntrySchema, answer.json) };
  }

  /** What a person does to the lock: break, freeze, unfreeze. */
  async act(
    verb: 'break' | 'freeze' | 'unfreeze',
    body: Record<string, unknown>,
    options: CallOptions,
  ): Promise<{ kind: 'done' } | Refused | NoAnswer> {
    const answer = await this.#call('POST', `/${verb}`, body, options);
    return 'kind' in answer ? answer : { kind: 'done' };
  }

  async #call(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body: unknown,
    options: CallOptions,
    base = this.#base,
  ): Promise<{ status: number; json: unknown } | Refused | NoAnswer> {
    const nothing = (
      reason: string,
      how: Pick<NoAnswer, 'reached' | 'sent'>,
      retryAfterMs: number | null = null,
    ): NoAnswer => ({ kind: 'no_answer', reason, retryAfterMs, ...how });
    try {
      const answer = await this.#server.http({
        method,
        url: base + path,
        headers: { authorization: `Bearer ${this.#server.token}`, ...this.#server.client },
        body: body === undefined ? undefined : JSON.stringify(body),
        maxBytes: MAX_BYTES,
        ...options,
      });
      const { status, headers } = answer;
      const json = parseJson(answer.body);
      const problem = problemOf(json);
      const said = statusInWords(status, problem);
      if (status === 404 || status === 501) throw this.#unknownEndpoint(status, problem);
      if (status === 429 || status >= 500) {
        const wait = headers['retry-after'] === undefined ? null : retryAfterMs(headers['retry-after'], 1000);
        const why = isProxyPage(answer) ? `HTTP ${status} of a proxy in front of it` : said;
        return nothing(why, { reached: true, sent: true }, wait);
      }
      if (status === 200 || (status === 202 && method === 'PUT')) {
        if (json === undefined) throw this.#contract(`HTTP ${status} whose body is not JSON`);
        return { status, json };
      }
      if (status === 401 || status === 403) {
        const refuses = problem?.detail ? 'refuses the call' : 'does not accept the token';
        throw new FleetError('CP_UNAUTHORIZED', `the lock server ${refuses} (${said})`, {
          next:
            nextOf(problem) ?? 'check FLEET_CP_TOKEN: it may be wrong, rotated, or of another environment',
        });
      }
      if (!problem) throw this.#contract(`HTTP ${status} without an error code`);
      return { kind: 'refused', status, problem };
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'aborted') throw options.signal?.reason ?? error;
      return nothing(error.message, { reached: false, sent: error.kind !== 'not_sent' });
    }
  }

  #parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
    const parsed = schema.safeParse(json);
    if (!parsed.success)
      throw this.#contract(
        `an answer whose ${oneLine(parsed.error.issues[0]?.path.join('.') || 'shape', 60)} is not as agreed`,
      );
    return parsed.data;
  }

  #contract(what: string): FleetError {
    return new FleetError('CP_CONTRACT', `the lock server gave ${what}`, {
      next: `check that ${this.#server.url} serves the fleet lock`,
    });
  }

  #unknownEndpoint(status: number, problem: Problem | undefined): FleetError {
    if (problem?.error === 'unknown_group') {
      return new FleetError('LOCK_UNKNOWN_ENDPOINT', `the lock server knows no lock group ${this.group}`, {
        next: problem.nearest ? `did you mean --lock-group ${oneLine(problem.nearest, 63)}?` : NEW_GROUP,
      });
    }
    return new FleetError(
      'LOCK_UNKNOWN_ENDPOINT',
      `${this.#server.url} serves no fleet lock (HTTP ${status}), so nothing would keep two rolls apart`,
      {
        next: `serve the lock with fleet-control-plane and point --lock-url at it${this.#server.optional ? '; or say --no-lock and mean it' : ''}`,
      },
    );
  }
}

const NEW_GROUP = 'check --lock-group: nobody has claimed a lock of that name; the first claim makes it';

/** A server that does not know the address has none of it. */
function ifUnknown(error: unknown): null {
  if (error instanceof FleetError && error.code === 'LOCK_UNKNOWN_ENDPOINT') return null;
  throw error;
}
