import { randomUUID } from 'node:crypto';
import { type Holder, type Order, problemSchema, REDEPLOY_PATH } from '@tenant-fleet/fleet-core/contract';
import pg from 'pg';
import { expect } from 'vitest';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../../src/control-plane.js';
import type { EmbeddedDatabase } from '../../src/db/embedded.js';
import type { ManualClock } from './clock.js';

export const TOKEN = 'open-sesame-open';

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies whose schemas they check beside
export type Body = any;

export interface Answer {
  status: number;
  body: Body;
  headers: Headers;
}

/** A database of its own on a shared server. */
export async function freshDatabase(server: EmbeddedDatabase): Promise<string> {
  const name = `t${randomUUID().replaceAll('-', '')}`;
  await sql(server.url, `CREATE DATABASE ${name}`);
  return server.url.replace(/\/[^/]*$/, `/${name}`);
}

export async function sql<R = Record<string, unknown>>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as R[];
  } finally {
    await client.end();
  }
}

export interface ClaimOptions {
  wait?: number;
  ttl?: number;
  order?: Order;
  holder?: Holder;
  maxHold?: number;
}

/** A claim as one process makes it: id and session stay the same. */
export class TestClaim {
  readonly id: string = randomUUID();
  session = `session-${randomUUID()}`;
  token = 0;

  constructor(
    private readonly client: Client,
    readonly name: string,
    readonly options: ClaimOptions = {},
  ) {}

  get path(): string {
    return `${this.client.lock}/claims/${this.id}`;
  }

  async put(options: ClaimOptions = {}): Promise<Answer> {
    const { wait = 0, ttl = 30, order, holder, maxHold } = { ...this.options, ...options };
    const answer = await this.client.call('PUT', `${this.path}?wait_seconds=${wait}`, {
      session: this.session,
      ttl_seconds: ttl,
      holder: holder ?? { name: this.name },
      ...(order && { order }),
      ...(maxHold && { max_hold_seconds: maxHold }),
    });
    if (answer.status === 200) this.token = answer.body.fencing_token;
    return answer;
  }

  renew(more: Record<string, unknown> = {}): Promise<Answer> {
    return this.client.call('POST', `${this.path}/renew`, {
      session: this.session,
      fencing_token: this.token,
      ...more,
    });
  }

  release(more: Record<string, unknown> = {}): Promise<Answer> {
    return this.client.call('POST', `${this.path}/release`, { session: this.session, ...more });
  }
}

export class Client {
  constructor(
    readonly url: string,
    readonly group: string = `g${randomUUID()}`,
  ) {}

  get lock(): string {
    return `/cp/admin/fleet-locks/${this.group}`;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined, headers: response.headers };
  }

  claim(name: string, options: ClaimOptions = {}): TestClaim {
    return new TestClaim(this, name, options);
  }

  /** A claim that holds the lock already. */
  async holding(name: string, options: ClaimOptions = {}): Promise<TestClaim> {
    const claim = this.claim(name, options);
    expect((await claim.put()).status).toBe(200);
    return claim;
  }

  /** A claim that waits in the queue. */
  async waiting(name: string, options: ClaimOptions = {}): Promise<TestClaim> {
    const claim = this.claim(name, options);
    expect((await claim.put({ wait: 0 })).status).toBe(202);
    return claim;
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.call('POST', `${this.lock}/${path}`, body);
  }

  async status(query = ''): Promise<Body> {
    return (await this.call('GET', `${this.lock}/${query}`)).body;
  }

  async events(): Promise<Body[]> {
    return (await this.call('GET', `${this.lock}/events`)).body.events;
  }

  async kinds(): Promise<string[]> {
    return (await this.events()).map((event) => event.kind);
  }

  redeploy(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call('POST', REDEPLOY_PATH, { confirm: true, ...body }, headers);
  }
}

/** The right to roll the fleet of `staging`, as headers. */
export const fenceOf = (claim: TestClaim) => ({
  'fleet-lock-group': 'staging',
  'fleet-fence': String(claim.token),
});

/** Checks that an answer is a problem document with this status and code, and says what to do next. */
export function expectProblem(answer: Answer, status: number, code: string): Body {
  expect([answer.status, answer.body.error]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = problemSchema.parse(answer.body);
  for (const field of ['type', 'title', 'detail', 'next'] as const) expect(problem[field]).toBeTruthy();
  expect(problem.status).toBe(status);
  return answer.body;
}

export function startPlane(options: Partial<ControlPlaneOptions>): Promise<ControlPlane> {
  return startControlPlane({ token: TOKEN, ...options });
}

/** Steps a control plane's clock second by second, with the sweep of each second done before the next. */
export async function advance(clock: ManualClock, plane: ControlPlane, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.step(1000);
    await plane.sweep();
  }
}

/** Waits until something is so, for what happens on another connection; the deadline only ends a broken test. */
export async function eventually(check: () => Promise<boolean> | boolean, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error('it never became so');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
