/** A refusal as RFC 9457 problem document: a stable code, what happened, what to do next. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    /** Stable code, for programs. */
    readonly code: string,
    /** What happened, in one sentence. */
    readonly detail: string,
    /** What to do now. */
    readonly next: string,
    readonly more: { extra?: Record<string, unknown>; retryAfterSeconds?: number } = {},
  ) {
    super(detail);
  }

  body(): Record<string, unknown> {
    const { status, code, detail, next } = this;
    const title = code.replaceAll('_', ' ');
    return {
      type: `urn:tenant-fleet:problem:${code}`,
      title,
      status,
      error: code,
      detail,
      next,
      ...this.more.extra,
    };
  }
}

export const badRequest = (detail: string, next: string) => new Problem(400, 'bad_request', detail, next);

/** The 503 of a call that others kept from its turn. */
export const busy = () =>
  new Problem(
    503,
    'busy',
    'The database did not answer in time; nothing was changed.',
    'Send the same request again.',
    { retryAfterSeconds: 1 },
  );

export const shuttingDown = () =>
  new Problem(
    503,
    'shutting_down',
    'This control plane is stopping.',
    'Send the same request again; its place is kept.',
    {
      retryAfterSeconds: 1,
    },
  );
