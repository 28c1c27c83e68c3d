import { randomBytes, randomUUID } from 'node:crypto';
import {
  claimHeldSchema,
  claimQueuedSchema,
  LOCKS_PATH,
  type Order,
} from '@tenant-fleet/fleet-core/contract';
import { must } from './miss.js';
import type { Answer, Server } from './server.js';

export interface ClaimOptions {
  /** Seconds; default 0. */
  wait?: number;
  /** Seconds; default 60. */
  ttl?: number;
  order?: Order;
  maxHold?: number;
  /** More fields of the body, or others in their place. */
  more?: Record<string, unknown>;
}

/** A claim as one process makes it: id and session stay the same. */
export class Claim {
  readonly id: string = randomUUID();
  readonly session: string = `conformance-${randomBytes(9).toString('base64url')}`;
  token = 0;

  constructor(
    private readonly server: Server,
    private readonly base: string,
    readonly name: string,
    private readonly options: ClaimOptions,
  ) {}

  private get path(): string {
    return `${this.base}/claims/${this.id}`;
  }

  put(options: ClaimOptions = {}): Promise<Answer> {
    const { wait = 0, ttl = 60, order, maxHold, more } = { ...this.options, ...options };
    return this.server.call('PUT', `${this.path}?wait_seconds=${wait}`, {
      body: {
        session: this.session,
        ttl_seconds: ttl,
        holder: { name: this.name },
        ...(order && { order }),
        ...(maxHold && { max_hold_seconds: maxHold }),
        ...more,
      },
    });
  }

  /** @throws Miss unless it is granted. */
  async held(options?: ClaimOptions): Promise<this> {
    const grant = (await this.put(options)).is(200, claimHeldSchema);
    this.token = grant.fencing_token;
    return this;
  }

  /** @throws Miss unless it waits. */
  async queued(options?: ClaimOptions) {
    return (await this.put(options)).is(202, claimQueuedSchema);
  }

  renew(more: Record<string, unknown> = {}): Promise<Answer> {
    return this.post('renew', { session: this.session, fencing_token: this.token, ...more });
  }

  release(more: Record<string, unknown> = {}): Promise<Answer> {
    const token = this.token > 0 && { fencing_token: this.token };
    return this.post('release', { session: this.session, ...token, ...more });
  }

  rollout(rollout: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.post('rollout', { session: this.session, fencing_token: this.token, rollout, ...more });
  }

  private post(call: string, body: unknown): Promise<Answer> {
    return this.server.call('POST', `${this.path}/${call}`, { body });
  }
}

/** A scratch lock group. What a case leaves in it is taken away again. */
export class Group {
  readonly #claims: Claim[] = [];

  constructor(
    readonly server: Server,
    readonly name: string,
  ) {}

  get path(): string {
    return `${LOCKS_PATH}/${this.name}`;
  }

  claim(name: string, options: ClaimOptions = {}): Claim {
    const claim = new Claim(this.server, this.path, name, options);
    this.#claims.push(claim);
    return claim;
  }

  /** A claim that holds the lock. @throws Miss where it is not granted. */
  holder(name = 'holder', options?: ClaimOptions): Promise<Claim> {
    return this.claim(name, options).held();
  }

  /** A claim that waits. @throws Miss where it does not. */
  async waiter(name = 'waiter', options?: ClaimOptions): Promise<Claim> {
    const claim = this.claim(name, options);
    await claim.queued();
    return claim;
  }

  get(rest = ''): Promise<Answer> {
    return this.server.call('GET', `${this.path}${rest}`);
  }

  post(call: 'break' | 'freeze' | 'unfreeze', body: Record<string, unknown>): Promise<Answer> {
    return this.server.call('POST', `${this.path}/${call}`, {
      body: { reason: 'conformance', actor: 'conformance', ...body },
    });
  }

  async tidy(): Promise<void> {
    if (this.#claims.length === 0) return;
    await this.post('unfreeze', {}).catch(() => {});
    // The queue first: each release of a holder would hand the lock to the next of them.
    for (const claim of this.#claims.reverse()) await claim.release().catch(() => {});
  }
}

/** @throws Miss where two grants carry the same number, or a later one a lower. */
export function mustGrow(tokens: number[]): void {
  for (const [index, token] of tokens.slice(1).entries()) {
    const before = tokens[index] ?? 0;
    must(token > before, `a grant got the fencing token ${token} after one with ${before}`);
  }
}
