/**
 * Name lookups: kept for a few seconds, a few at a time, and timed apart from the request that needs them. The system's
 * resolver runs on the four threads of Node's pool, so some dozens of tenants behind a slow one would else spend the
 * time of their requests in its queue.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import pLimit from 'p-limit';
import type { Clock } from './clock.js';
import type { End } from './end.js';
import { errorCode, HttpFailure } from './failure.js';

/** Asks for all addresses of a name. @throws an error with the code of the resolver. */
export type Lookup = (host: string) => Promise<LookupAddress[]>;

const AT_ONCE = 8;
/** Short enough for a tenant that comes back under another address. */
const KEPT_MS = 10_000;
const TIMEOUT_MS = 10_000;

const WHY: Record<string, string> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the resolver gives no answer',
};

const system: Lookup = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

export class Names {
  readonly #known = new Map<string, { addresses: Promise<LookupAddress[]>; until: number }>();
  readonly #slot = pLimit(AT_ONCE);
  readonly #clock: Clock;
  readonly #ask: Lookup;

  constructor(clock: Clock, ask: Lookup = system) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /**
   * The addresses of a name, asked for once by all who need them. An address stands for itself.
   *
   * @throws HttpFailure `not_sent`, that says that it was the lookup; the reason of the end.
   */
  async resolve(host: string, end?: End): Promise<LookupAddress[]> {
    const bare = host.replace(/^\[|\]$/g, '');
    if (isIP(bare)) return [{ address: bare, family: isIP(bare) }];
    const known = this.#known.get(host);
    if (known && this.#clock.monotonic() < known.until) return unlessEnded(known.addresses, end);
    const entry = { addresses: this.#slot(() => this.#lookUp(host)), until: Number.POSITIVE_INFINITY };
    this.#known.set(host, entry);
    entry.addresses.then(
      () => {
        entry.until = this.#clock.monotonic() + KEPT_MS;
      },
      () => this.#known.delete(host),
    );
    return unlessEnded(entry.addresses, end);
  }

  /** Lets a name be asked for again: nobody answered at what it stood for. */
  forget(host: string): void {
    const known = this.#known.get(host);
    if (known && known.until !== Number.POSITIVE_INFINITY) this.#known.delete(host);
  }

  /** For connections. */
  lookup: LookupFunction = (host, options, callback) => {
    this.resolve(host).then(
      (all) => {
        const family = options.family === 4 || options.family === 6 ? options.family : null;
        const fitting = all.filter((one) => family === null || one.family === family);
        if (options.all) return callback(null, fitting);
        const { address, family: own } = fitting[0] ?? { address: '', family: 4 };
        callback(null, address, own);
      },
      (error) => callback(error, []),
    );
  };

  async #lookUp(host: string): Promise<LookupAddress[]> {
    const failed = (why: string, cause?: unknown) =>
      new HttpFailure('not_sent', `name lookup failed: ${why}`, { cause });
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.timer(TIMEOUT_MS, () => reject(failed(`no answer within ${TIMEOUT_MS} ms`)));
    });
    try {
      return await Promise.race([this.#ask(host), late]);
    } catch (error) {
      if (error instanceof HttpFailure) throw error;
      const code = errorCode(error);
      throw failed(WHY[code] ?? (code || 'no address'), error);
    } finally {
      cancel();
    }
  }
}

function unlessEnded<T>(work: Promise<T>, end: End | undefined): Promise<T> {
  if (!end) return work;
  return new Promise((resolve, reject) => {
    end.onCome(reject);
    work.then(resolve, reject);
  });
}
