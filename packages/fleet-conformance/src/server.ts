import { type Http, HttpFailure } from '@tenant-fleet/fleet-core';
import { LOCKS_PATH, problemSchema, REDEPLOY_PATH } from '@tenant-fleet/fleet-core/contract';
import type * as z from 'zod';
import { Miss, must } from './miss.js';

const TIMEOUT_MS = 40_000;
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;
const CODE = /^[a-z][a-z0-9_]{1,59}$/;

export interface CallOptions {
  /** JSON text where it is a string. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Default: the token of the run; null: none. */
  token?: string | null;
  timeoutMs?: number;
}

/** One answer, with what may be printed of it. */
export class Answer {
  readonly json: unknown;

  constructor(
    /** The call in words. */
    readonly call: string,
    readonly status: number,
    readonly headers: Record<string, string>,
    body: string,
    /** From the moment before it was sent. */
    readonly tookMs: number,
  ) {
    this.json = parse(body);
  }

  /** The stable code of a refusal; undefined for anything else. */
  get error(): string | undefined {
    const problem = problemSchema.safeParse(this.json);
    return problem.success && CODE.test(problem.data.error) ? problem.data.error : undefined;
  }

  /** Status and code alone: a body may carry anything. */
  toString(): string {
    return `${this.call} answered HTTP ${this.status}${this.error ? ` ${this.error}` : ''}`;
  }

  /** @throws Miss unless it has this status and a body of this shape. */
  is<T>(status: number, schema: z.ZodType<T>): T {
    must(this.status === status, `${this}, not ${status}`);
    const parsed = schema.safeParse(this.json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Miss(`${this}, and "${issue?.path.join('.') || 'the body'}" in it: ${issue?.message}`);
  }

  /** @throws Miss unless it is this refusal. */
  refuses(status: number, code: string): z.infer<typeof problemSchema> {
    must(this.status === status && this.error === code, `${this}, not ${status} ${code}`);
    return problemSchema.parse(this.json);
  }

  /** @throws Miss unless the request was called wrong. */
  isBadRequest(): void {
    must(this.status >= 400 && this.status < 500, `${this}, not a refusal`);
  }
}

/** The server under test. */
export class Server {
  constructor(
    /** Base URL, without a slash at its end. */
    readonly url: string,
    private readonly token: string,
    readonly http: Http,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws Miss where no answer comes. */
  async call(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    { body, headers, token = this.token, timeoutMs = TIMEOUT_MS }: CallOptions = {},
  ): Promise<Answer> {
    const call = `${method} ${path.split('?', 1)[0]?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')}`;
    const begun = performance.now();
    try {
      const answer = await this.http({
        method,
        url: this.url + path,
        headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        timeoutMs,
        maxBytes: ANSWER_MAX_BYTES,
        signal: this.signal,
      });
      return new Answer(call, answer.status, answer.headers, answer.body, performance.now() - begun);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'aborted') throw this.signal.reason;
      throw new Miss(`${call} brought no answer: ${error.message}`);
    }
  }

  collection = (options?: CallOptions) => this.call('GET', LOCKS_PATH, options);

  redeploy = (body: Record<string, unknown>, options?: CallOptions) =>
    this.call('POST', REDEPLOY_PATH, { ...options, body });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
