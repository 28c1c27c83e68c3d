import { randomUUID } from 'node:crypto';
import type { Http } from '@tenant-fleet/fleet-core';
import { buildinfoUrl, probe } from '@tenant-fleet/fleet-core/program';
import pLimit from 'p-limit';

const PROBE_TIMEOUT_MS = 5000;
const PROBES_AT_ONCE = 50;

/** Asks tenants what they run. */
export class Tenants {
  constructor(
    /** Address with `{slug}` in it. */
    private readonly template: string,
    private readonly http: Http,
    private readonly signal: AbortSignal,
  ) {}

  /** The commit that each of them answers; null for `dev`, undefined for one that answers with no build. */
  commits(slugs: string[]): Promise<(string | null | undefined)[]> {
    const limit = pLimit(PROBES_AT_ONCE);
    return Promise.all(slugs.map((slug) => limit(() => this.commit(slug))));
  }

  private async commit(slug: string): Promise<string | null | undefined> {
    const options = { timeoutMs: PROBE_TIMEOUT_MS, signal: this.signal, nonce: randomUUID };
    const seen = await probe(this.http, buildinfoUrl(this.template, slug), options).catch(() => undefined);
    return seen?.kind === 'sha' ? seen.sha : seen?.kind === 'dev' ? null : undefined;
  }
}
