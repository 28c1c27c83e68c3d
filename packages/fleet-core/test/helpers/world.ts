import { type Clock, type Http, HttpFailure, type HttpRequest } from '../../src/index.js';

export const OLD = 'a'.repeat(40);
export const NEW = 'b'.repeat(40);

/** What a tenant does, by what a roll made of it. */
export type Nature =
  | 'moves'
  | 'drains'
  | 'stuck'
  | 'dies'
  | 'html'
  | 'unhealthy'
  | 'flaps'
  | 'falls-back'
  | 'dev';
/** What becomes of one roll call. */
export type Fate =
  | 'ok'
  | 'rows-500'
  | 'bad-gateway'
  | 'gateway-timeout'
  | 'dies-before'
  | 'dies-after'
  | 'edge'
  | 'html'
  | 'draining'
  | 'silent-row'
  | 'halts'
  | 'denied';

export interface WorldPlan {
  tenants: { slug: string; nature: Nature; start: 'old' | 'new' | 'dev' | 'gone' | 'html' }[];
  fates: Fate[];
}

interface TenantState {
  nature: Nature;
  start: WorldPlan['tenants'][number]['start'];
  rolledAt: number | null;
  probesSinceRoll: number;
  lastAnswer: string | null;
}

/** A control plane and its tenants without sockets, for many thousands of runs: the HTTP port answers by itself. */
export class World {
  readonly tenants = new Map<string, TenantState>();
  /** Roll requests in order, with what each tenant had answered last before. */
  readonly rolls: { slugs: string[]; fate: Fate; knownOnTarget: string[] }[] = [];
  #calls = 0;

  constructor(
    private readonly plan: WorldPlan,
    private readonly clock: Clock,
  ) {
    for (const { slug, nature, start } of plan.tenants) {
      this.tenants.set(slug, { nature, start, rolledAt: null, probesSinceRoll: 0, lastAnswer: null });
    }
  }

  http: Http = async (request) => {
    if (request.signal?.aborted)
      throw new HttpFailure('aborted', 'cancelled', { cause: request.signal.reason });
    const tenant = /\/t\/([^/]+)\/buildinfo$/.exec(request.url);
    return tenant ? this.#buildinfo(tenant[1] as string) : this.#redeploy(request);
  };

  #buildinfo(slug: string) {
    const tenant = this.tenants.get(slug) as TenantState;
    tenant.lastAnswer = null;
    const what = this.#shown(tenant);
    if (what === 'gone') throw new HttpFailure('not_sent', 'connection refused');
    if (what === 'html') return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' };
    tenant.lastAnswer = what;
    return { status: 200, headers: {}, body: JSON.stringify({ git_sha: what }) };
  }

  #shown(tenant: TenantState): string {
    const { rolledAt, nature, start } = tenant;
    const before = { old: OLD, new: NEW, dev: 'dev', gone: 'gone', html: 'html' }[start];
    if (rolledAt === null) return before;
    const age = this.clock.monotonic() - rolledAt;
    const probe = tenant.probesSinceRoll++;
    switch (nature) {
      case 'moves':
      case 'unhealthy':
        return NEW;
      case 'drains':
        return age < 3_000 ? before : NEW;
      case 'stuck':
        return before;
      case 'dies':
        return 'gone';
      case 'html':
        return 'html';
      case 'flaps':
        return probe % 2 ? OLD : NEW;
      case 'falls-back':
        return probe < 2 ? NEW : OLD;
      case 'dev':
        return 'dev';
    }
  }

  #redeploy(request: HttpRequest) {
    const body = JSON.parse(request.body ?? '{}');
    const slugs: string[] = body.only_slugs ?? [...this.tenants.keys()];
    if (body.dry_run)
      return this.#answer(200, { ok: true, results: slugs.map((slug) => ({ slug, ssm_status: 'DryRun' })) });
    const fate = this.plan.fates[this.#calls++] ?? 'ok';
    this.rolls.push({
      slugs,
      fate,
      knownOnTarget: slugs.filter((slug) => this.tenants.get(slug)?.lastAnswer === NEW),
    });
    const effective = !['bad-gateway', 'dies-before', 'draining', 'denied'].includes(fate);
    const reached = fate === 'halts' ? slugs.slice(0, 1) : slugs;
    if (effective) {
      for (const slug of reached) {
        const tenant = this.tenants.get(slug) as TenantState;
        tenant.rolledAt = this.clock.monotonic();
        tenant.probesSinceRoll = 0;
      }
    }
    const rows = reached.map((slug) => {
      const { nature } = this.tenants.get(slug) as TenantState;
      return { slug, ssm_status: 'Success', healthz_ok: nature !== 'unhealthy', phase: 'batch-1' };
    });
    switch (fate) {
      case 'ok':
        return this.#answer(200, { ok: true, results: rows });
      case 'silent-row':
        return this.#answer(200, { ok: true, results: rows.slice(1) });
      case 'rows-500':
      case 'halts':
        return this.#answer(500, { ok: false, error: 'boom', results: rows });
      case 'bad-gateway':
        return { status: 502, headers: {}, body: 'Bad Gateway' };
      case 'gateway-timeout':
        return { status: 504, headers: {}, body: '' };
      case 'edge':
        return { status: 524, headers: {}, body: '<html>' };
      case 'html':
        return { status: 200, headers: {}, body: '<html>' };
      case 'draining':
        return this.#answer(409, { error: 'draining' });
      case 'denied':
        return this.#answer(401, {});
      case 'dies-before':
      case 'dies-after':
        throw new HttpFailure('broken', 'connection broke');
    }
  }

  #answer(status: number, body: unknown) {
    return { status, headers: {}, body: JSON.stringify(body) };
  }
}

/** Moves time as soon as nothing else is left to do: no sockets, so one turn of the event loop settles everything. */
export async function runFast<T>(
  clock: { nextIn: number | undefined; fireNext(): void },
  work: Promise<T>,
): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => {});
  for (let turn = 0; !settled; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!settled && clock.nextIn !== undefined) clock.fireNext();
    if (turn > 200_000) throw new Error('the run does not end');
  }
  return done;
}
