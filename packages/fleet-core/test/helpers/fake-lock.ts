import type { IncomingMessage, ServerResponse } from 'node:http';
import { LOCKS_PATH, type RolloutEntry, rolloutSchema } from '../../src/contract.js';
import type { FakeFleet } from './fake-fleet.js';
import { json } from './fake-fleet.js';

export interface LockCall {
  verb: 'claim' | 'renew' | 'release' | 'rollout' | 'status' | 'features' | 'rollouts';
  claim: string;
  body: Record<string, unknown>;
  query: URLSearchParams;
}
export type LockScript = (call: LockCall, response: ServerResponse) => void;

/** The lock endpoints with scripted answers; by default every claim is granted, renewed and released. */
export class FakeLock {
  readonly calls: LockCall[] = [];
  /** What the server says that it can do; null: it does not know the question. */
  features: string[] | null = ['draining', 'rollouts'];
  takesRecords = true;
  /** Takes the answer to a record into its own hands. */
  keep: LockScript | null = null;
  givesRecords = true;
  /** Rollouts that are on record, newest first; what this run leaves is put in front. */
  rollouts: RolloutEntry[] = [];
  token = 7;
  ttlSeconds = 30;
  claim: LockScript = (_, response) => this.grant(response);
  renew: LockScript = (_, response) => json(response, 200, { state: 'held', ttl_seconds: this.ttlSeconds });
  release: LockScript = (_, response) => json(response, 200, { state: 'released', already: false });

  /** Fencing token of the hold that the status shows; null: nobody holds the lock. */
  held: number | null = null;
  status: LockScript = (_, response) => this.show(response);

  constructor(fleet: FakeFleet) {
    fleet.extra = (request, response, body) => this.#serve(request, response, body);
  }

  grant(response: ServerResponse, extra: Record<string, unknown> = {}): void {
    json(response, 200, {
      state: 'held',
      fencing_token: this.token,
      ttl_seconds: this.ttlSeconds,
      acquired_at: '2026-01-01T00:00:00Z',
      ...extra,
    });
  }

  show(
    response: ServerResponse,
    extra: Record<string, unknown> = {},
    held: Record<string, unknown> = {},
  ): void {
    const hold = {
      ...{ claim_id: '6f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10', holder: { name: 'fleet lock run staging' } },
      ...{ held_for_seconds: 5, last_renew_seconds_ago: 1, step: '', alive: true },
    };
    json(response, 200, {
      ...{ group: 'staging', version: 1, queue: [], frozen: null, last_fencing_token: this.held ?? 0 },
      held: this.held === null ? null : { ...hold, fencing_token: this.held, ...held },
      ...extra,
    });
  }

  /** Answers that the claim waits behind a holder. */
  queue(response: ServerResponse, extra: Record<string, unknown> = {}): void {
    const holder = {
      name: 'fleet redeploy staging',
      actor: 'bob',
      held_for_seconds: 65,
      step: 'rolling batch-2',
      alive: true,
    };
    json(response, 202, { state: 'queued', position: 1, queue_length: 1, holder, ...extra });
  }

  of(verb: LockCall['verb']): LockCall[] {
    return this.calls.filter((call) => call.verb === verb);
  }

  #serve(request: IncomingMessage, response: ServerResponse, body: string): boolean {
    const url = new URL(request.url ?? '', 'http://x');
    if (!url.pathname.startsWith(LOCKS_PATH)) return false;
    const [, claim = '', action] =
      /\/claims\/([^/]+)(?:\/(renew|release|rollout))?$/.exec(url.pathname) ?? [];
    const [, rollouts, id] = /\/(rollouts)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const plain = rollouts ? 'rollouts' : url.pathname === LOCKS_PATH ? 'features' : 'status';
    const verb = claim ? ((action ?? 'claim') as LockCall['verb']) : plain;
    const call: LockCall = { verb, claim, body: body ? JSON.parse(body) : {}, query: url.searchParams };
    this.calls.push(call);
    if (verb === 'features') this.#tellFeatures(response);
    else if (verb === 'rollouts') this.#tellRollouts(id, response);
    else if (verb === 'rollout' && this.keep) this.keep(call, response);
    else if (verb === 'rollout') this.#keep(call, response);
    else {
      if (call.body.rollout) this.#keep(call);
      this[verb](call, response);
    }
    return true;
  }

  #tellFeatures(response: ServerResponse): void {
    if (this.features) json(response, 200, { groups: [], features: this.features });
    else json(response, 404, { error: 'not_found' });
  }

  #tellRollouts(id: string | undefined, response: ServerResponse): void {
    if (!this.givesRecords) return json(response, 503, { error: 'unavailable' });
    const one = this.rollouts.find(({ claim_id }) => claim_id === id);
    if (one) return json(response, 200, one);
    const rollouts = this.rollouts.map(({ rollout, ...rest }) => {
      const { tenants: _, slugs: __, ...summary } = rollout;
      return { ...rest, rollout: summary };
    });
    json(response, 200, { rollouts, next_before: null });
  }

  #keep({ claim, body }: LockCall, response?: ServerResponse): void {
    if (!this.takesRecords) return response && json(response, 503, { error: 'unavailable' });
    const entry = {
      ...{ claim_id: claim, fencing_token: this.token, holder: { name: 'fleet redeploy' } },
      ...{ state: 'running' as const, started_at: '2026-01-01T00:00:00Z' },
      rollout: rolloutSchema.parse(body.rollout),
    };
    this.rollouts = [entry, ...this.rollouts.filter(({ claim_id }) => claim_id !== claim)];
    if (response) json(response, 200, { state: 'held' });
  }
}
