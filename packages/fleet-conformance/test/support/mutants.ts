/** Control planes with one fault each, and the case that has to see it. */
import { randomUUID } from 'node:crypto';
import type { Body, Break, Forward, Reply, Request } from './breaking.js';

export interface Mutant {
  name: string;
  caughtBy: string;
  /** Needs the scratch fleet. */
  full?: true;
  make: () => Break;
}

const isClaim = ({ method, path }: Request) => method === 'PUT' && path.includes('/claims/');
const calls = ({ method, path }: Request, what: string) =>
  method === 'POST' && (path.split('?')[0] ?? '').endsWith(`/${what}`);
const isRoll = (request: Request) => calls(request, 'redeploy-fleet');
const reads = ({ method, path }: Request, what: RegExp) =>
  method === 'GET' && what.test(path.split('?')[0] ?? '');
const lockOf = (path: string) => path.replace(/(\/fleet-locks\/[^/?]+).*/, '$1');

/** Changes what comes out. */
const out =
  (when: (request: Request) => boolean, change: (reply: Reply, request: Request) => Reply): (() => Break) =>
  () =>
  async (request, forward) => {
    const reply = await forward();
    return when(request) ? change(reply, request) : reply;
  };
/** Changes what goes in. */
const into =
  (when: (request: Request) => boolean, change: (request: Request) => Partial<Request>): (() => Break) =>
  () =>
  (request, forward) =>
    forward(when(request) ? change(request) : {});
/** Says another thing where the server refused. */
const insteadOf = (status: number, error: string, reply: Reply) => (found: Reply) =>
  found.status === status && (!error || found.body?.error === error) ? reply : found;
const without =
  (...fields: string[]) =>
  (reply: Reply) => ({
    ...reply,
    body: Object.fromEntries(Object.entries(reply.body ?? {}).filter(([field]) => !fields.includes(field))),
  });
const set = (fields: Body) => (reply: Reply) =>
  reply.status < 300 ? { ...reply, body: { ...reply.body, ...fields } } : reply;

const HELD: Reply = {
  status: 200,
  body: { state: 'held', fencing_token: 1, ttl_seconds: 60, acquired_at: new Date(0).toISOString() },
};
const status = (forward: Forward, path: string) =>
  forward({ method: 'GET', path: `${lockOf(path)}/`, body: undefined });

export const MUTANTS: Mutant[] = [
  { name: 'a ttl of its own', caughtBy: '4.01', make: out(isClaim, set({ ttl_seconds: 9999 })) },
  { name: 'a grant without a time', caughtBy: '4.01', make: out(isClaim, set({ acquired_at: 'soon' })) },
  {
    name: 'no token needed',
    caughtBy: '4.02',
    make: () => {
      let right = '';
      return (request, forward) => {
        // The first to come is whoever learns what the server can do.
        right ||= request.headers.authorization ?? '';
        return forward({ headers: { ...request.headers, authorization: right } });
      };
    },
  },
  {
    name: 'a new token for the same claim',
    caughtBy: '4.03',
    make: () => {
      let more = 0;
      return async (request, forward) => {
        const reply = await forward();
        if (isClaim(request) && reply.status === 200) reply.body.fencing_token += ++more;
        return reply;
      };
    },
  },
  {
    name: 'one claim for two processes',
    caughtBy: '4.04',
    make: out(isClaim, insteadOf(409, 'claim_in_use', HELD)),
  },
  { name: 'another body passes', caughtBy: '4.05', make: out(isClaim, insteadOf(422, '', HELD)) },
  {
    name: 'everybody holds',
    caughtBy: '4.06',
    make: out(isClaim, (reply) => (reply.status === 202 ? HELD : reply)),
  },
  { name: 'the same token for everybody', caughtBy: '4.07', make: out(isClaim, set({ fencing_token: 1 })) },
  {
    name: 'no renewals',
    caughtBy: '4.08',
    make: out(
      (r) => calls(r, 'renew'),
      () => ({ status: 404, body: {} }),
    ),
  },
  {
    name: 'everybody renews',
    caughtBy: '4.09',
    make: out(
      (r) => calls(r, 'renew'),
      insteadOf(409, '', { status: 200, body: { state: 'held', ttl_seconds: 60 } }),
    ),
  },
  {
    name: 'a release is always the first',
    caughtBy: '4.10',
    make: out((r) => calls(r, 'release'), set({ already: false })),
  },
  {
    name: 'a release that frees nothing',
    caughtBy: '4.10',
    make: () => async (request, forward) =>
      calls(request, 'release') ? { status: 200, body: { state: 'released', already: false } } : forward(),
  },
  {
    name: 'a late release frees the successor',
    caughtBy: '4.11',
    make: () => async (request, forward) => {
      const reply = await forward();
      if (!calls(request, 'release') || !reply.body?.already) return reply;
      await breakHolder(forward, request.path);
      return reply;
    },
  },
  {
    name: 'an ended claim comes back',
    caughtBy: '4.12',
    make: () => async (request, forward) => {
      const reply = await forward();
      return reply.status === 410
        ? forward({ path: request.path.replace(/claims\/[^?]+/, `claims/${randomUUID()}`) })
        : reply;
    },
  },
  {
    name: 'a strict server',
    caughtBy: '4.13',
    make: () => async (request, forward) =>
      request.body?.from_a_newer_client ? { status: 400, body: { error: 'bad_request' } } : forward(),
  },
  {
    name: 'a server that takes anything',
    caughtBy: '4.14',
    make: out(isClaim, insteadOf(400, '', HELD)),
  },
  { name: 'a wrong place in the queue', caughtBy: '4.20', make: out(isClaim, set({ position: 7 })) },
  { name: 'the holder is not named', caughtBy: '4.20', make: out(isClaim, without('holder')) },
  {
    name: 'last come, first served',
    caughtBy: '4.21',
    make: () => async (request, forward) => {
      const before = calls(request, 'release') ? await status(forward, request.path) : undefined;
      const reply = await forward();
      const { held, queue = [] } = before?.body ?? {};
      // The first of the queue is broken as soon as it holds, so that the second gets the lock.
      if (held && request.path.includes(held.claim_id) && queue.length > 1)
        await breakHolder(forward, request.path);
      return reply;
    },
  },
  {
    name: 'no long polls',
    caughtBy: '4.22',
    make: into(isClaim, ({ path }) => ({ path: path.replace(/wait_seconds=\d+/, 'wait_seconds=0') })),
  },
  {
    name: 'a waiter that nobody wakes',
    caughtBy: '4.23',
    make: () => async (request, forward) => {
      const wait = Number(/wait_seconds=(\d+)/.exec(request.path)?.[1] ?? 0);
      if (!isClaim(request) || wait < 10) return forward();
      await new Promise((resolve) => setTimeout(resolve, 6000));
      return forward({ path: request.path.replace(/wait_seconds=\d+/, 'wait_seconds=0') });
    },
  },
  {
    name: 'nobody leaves the queue',
    caughtBy: '4.24',
    make: () => async (request, forward) =>
      calls(request, 'release') && request.body.fencing_token === undefined
        ? { status: 200, body: { state: 'left', already: false } }
        : forward(),
  },
  {
    name: 'a lease for ever',
    caughtBy: '4.25',
    make: into(isClaim, ({ body }) => ({ body: { ...body, ttl_seconds: 3600 } })),
  },
  {
    name: 'a lease that is too short',
    caughtBy: '4.25',
    make: () => async (request, forward) => {
      const reply = await forward(
        isClaim(request) && request.body.ttl_seconds === 3
          ? { body: { ...request.body, max_hold_seconds: 1 } }
          : {},
      );
      return reply;
    },
  },
  {
    name: 'renewals that renew nothing',
    caughtBy: '4.26',
    make: () => async (request, forward) =>
      calls(request, 'renew') ? { status: 200, body: { state: 'held', ttl_seconds: 2 } } : forward(),
  },
  {
    name: 'no longest hold',
    caughtBy: '4.27',
    make: into(isClaim, ({ body }) => ({ body: { ...body, max_hold_seconds: undefined } })),
  },
  {
    name: 'no order',
    caughtBy: '4.30',
    make: into(isClaim, ({ body }) => ({ body: { ...body, order: undefined } })),
  },
  { name: 'superseded by nobody', caughtBy: '4.30', make: out(isClaim, without('by')) },
  {
    name: 'an older commit may hold',
    caughtBy: '4.31',
    make: out(isClaim, insteadOf(409, 'outdated', HELD)),
  },
  {
    name: 'one order for all keys',
    caughtBy: '4.32',
    make: into(
      (request) => isClaim(request) && request.body.order,
      ({ body }) => ({ body: { ...body, order: { ...body.order, key: 'one' } } }),
    ),
  },
  {
    name: 'a proof leaves no mark',
    caughtBy: '4.33',
    make: into(
      (r) => calls(r, 'release'),
      ({ body }) => ({ body: { ...body, result: 'none' } }),
    ),
  },
  {
    name: 'everything leaves a mark',
    caughtBy: '4.34',
    make: into(
      (request) => calls(request, 'release') && request.body.fencing_token,
      ({ body }) => ({ body: { ...body, result: 'proven' } }),
    ),
  },
  {
    name: 'a break of whoever holds',
    caughtBy: '4.40',
    make: () => async (request, forward) => {
      if (!calls(request, 'break')) return forward();
      const { body } = await status(forward, request.path);
      return forward({ body: { ...request.body, fencing_token: body.held?.fencing_token ?? 1 } });
    },
  },
  {
    name: 'a break without a question',
    caughtBy: '4.41',
    make: into(
      (r) => calls(r, 'break'),
      ({ body }) => ({ body: { ...body, confirm_alive: true } }),
    ),
  },
  {
    name: 'a break that breaks nothing',
    caughtBy: '4.42',
    make: () => async (request, forward) =>
      calls(request, 'break') && request.body.confirm_alive ? { status: 200, body: {} } : forward(),
  },
  {
    name: 'an audit log without names',
    caughtBy: '4.42',
    make: out((r) => reads(r, /\/events$/), set({ events: [] })),
  },
  {
    name: 'a freeze that freezes nothing',
    caughtBy: '4.43',
    make: () => async (request, forward) =>
      calls(request, 'freeze') ? { status: 200, body: {} } : forward(),
  },
  { name: 'a freeze without a reason', caughtBy: '4.43', make: out(isClaim, without('frozen')) },
  {
    name: 'a freeze over a freeze',
    caughtBy: '4.44',
    make: into(
      (r) => calls(r, 'freeze'),
      ({ body }) => ({ body: { ...body, replace: true } }),
    ),
  },
  {
    name: 'an unfreeze of nothing',
    caughtBy: '4.44',
    make: out((r) => calls(r, 'unfreeze'), insteadOf(409, '', { status: 200, body: {} })),
  },
  {
    name: 'a status without its queue',
    caughtBy: '4.50',
    make: out((r) => reads(r, /fleet-locks\/[^/]+\/?$/), set({ queue: [] })),
  },
  {
    name: 'a status that does not wait',
    caughtBy: '4.51',
    make: into(
      (r) => reads(r, /fleet-locks\/[^/]+\/?$/),
      ({ path }) => ({ path: path.replace(/wait_seconds=\d+/, 'wait_seconds=0') }),
    ),
  },
  {
    name: 'every group is known',
    caughtBy: '4.52',
    make: out(
      (r) => reads(r, /fleet-locks\/[^/]+\/?$/),
      insteadOf(404, 'unknown_group', { status: 200, body: { held: null, queue: [] } }),
    ),
  },
  {
    name: 'an audit log from the beginning, always',
    caughtBy: '4.53',
    make: into(
      (r) => reads(r, /\/events$/),
      ({ path }) => ({ path: path.replace(/after=\d+/, 'after=0') }),
    ),
  },
  {
    name: 'no features',
    caughtBy: '4.54',
    make: out((r) => reads(r, /\/fleet-locks\/?$/), without('features')),
  },
  {
    name: 'lists with all tenants',
    caughtBy: '4.60',
    make: () => {
      const kept = new Map<string, Body>();
      return async (request, forward) => {
        const reply = await forward();
        if (calls(request, 'rollout')) kept.set(lockOf(request.path), request.body.rollout);
        for (const entry of reads(request, /\/rollouts$/) ? reply.body.rollouts : [])
          entry.rollout.tenants = kept.get(lockOf(request.path))?.tenants;
        return reply;
      };
    },
  },
  {
    name: 'only fields that it knows',
    caughtBy: '4.60',
    make: out(
      (r) => reads(r, /\/rollouts\/[^/]+$/),
      (reply) => ({
        ...reply,
        body: { ...reply.body, rollout: { ...reply.body.rollout, from_a_newer_client: undefined } },
      }),
    ),
  },
  {
    name: 'nothing is ever lost',
    caughtBy: '4.61',
    make: out((r) => reads(r, /\/rollouts\/[^/]+$/), set({ state: 'running' })),
  },
  {
    name: 'a history without an end',
    caughtBy: '4.62',
    make: into(
      (r) => reads(r, /\/rollouts$/),
      ({ path }) => ({ path: path.replace(/&before=[^&]+/, '') }),
    ),
  },
  {
    name: 'anybody writes the record',
    caughtBy: '4.63',
    make: out((r) => calls(r, 'rollout'), insteadOf(409, '', { status: 200, body: {} })),
  },
  {
    name: 'a large record keeps the lock',
    caughtBy: '4.64',
    make: () => async (request, forward) =>
      JSON.stringify(request.body ?? '').length > 8_000_000
        ? { status: 413, body: { error: 'too_large' } }
        : forward(),
  },
  {
    name: 'no token needed for a roll',
    caughtBy: '3.01',
    make: () => async (request, forward) => {
      const reply = await forward();
      return isRoll(request) && reply.status === 401
        ? { status: 200, body: { ok: true, results: [] } }
        : reply;
    },
  },
  {
    name: 'no confirmation needed',
    caughtBy: '3.02',
    make: into(isRoll, ({ body }) => ({ body: { ...body, confirm: true, only_slugs: undefined } })),
  },
  {
    name: 'a dry run with rows of a roll',
    caughtBy: '3.03',
    make: () => async (request, forward) =>
      isRoll(request) && request.body.dry_run
        ? {
            status: 200,
            body: { ok: true, results: [{ slug: 'acme', phase: 'redeploy', ssm_status: 'Success' }] },
          }
        : forward(),
  },
  {
    name: 'a dry run that rolls',
    caughtBy: '3.10',
    full: true,
    make: () => async (request, forward) => {
      if (!isRoll(request) || !request.body.dry_run) return forward();
      const plan = await forward();
      const [row] = plan.body?.results ?? [];
      if (row && request.body.target_tag === TARGET.image_tag)
        await forward({ method: 'PUT', path: `/sim/tenants/${row.slug}`, body: { running: TARGET } });
      return plan;
    },
  },
  {
    name: 'no canary',
    caughtBy: '3.11',
    full: true,
    make: into(isRoll, ({ body }) => ({ body: { ...body, canary_slug: undefined } })),
  },
  {
    name: 'an empty filter is none',
    caughtBy: '3.12',
    full: true,
    make: into(isRoll, ({ body }) => ({
      body: { ...body, only_slugs: body.only_slugs?.length ? body.only_slugs : undefined },
    })),
  },
  {
    name: 'no fence needed',
    caughtBy: '4.70',
    full: true,
    make: () => withFence((request) => request.headers['fleet-fence'] === undefined),
  },
  {
    name: 'an old fence passes',
    caughtBy: '4.71',
    full: true,
    make: () => withFence(() => true),
  },
  {
    name: 'a token passes with any claim',
    caughtBy: '4.72',
    full: true,
    make: into(isRoll, ({ headers: { 'fleet-claim': _claim, ...headers } }) => ({ headers })),
  },
  {
    name: 'a lease that says nothing of draining',
    caughtBy: '4.73',
    full: true,
    make: out((r) => calls(r, 'renew'), without('draining')),
  },
  {
    name: 'draining without a time to come again',
    caughtBy: '4.73',
    full: true,
    make: out(isRoll, ({ headers: _none, ...reply }) => reply),
  },
  {
    name: 'more is rolled than was named',
    caughtBy: '4.74',
    full: true,
    make: into(isRoll, ({ body }) => ({ body: { ...body, only_slugs: undefined } })),
  },
  {
    name: 'a roll leaves no mark',
    caughtBy: '4.75',
    full: true,
    make: into(isClaim, ({ body }) => ({ body: { ...body, order: undefined } })),
  },
];

const TARGET = { image_tag: 'staging-2222222', git_sha: '2'.repeat(40) };

/** Lets a roll pass under whatever token holds now. */
function withFence(when: (request: Request) => boolean): Break {
  return async (request, forward) => {
    if (!isRoll(request) || request.body.dry_run || !when(request)) return forward();
    const { body } = await forward({
      method: 'GET',
      path: '/cp/admin/fleet-locks/staging/',
      body: undefined,
    });
    const headers = {
      ...request.headers,
      'fleet-lock-group': 'staging',
      'fleet-fence': String(body.held?.fencing_token ?? 1),
      'fleet-claim': body.held?.claim_id ?? randomUUID(),
    };
    return forward({ headers });
  };
}

async function breakHolder(forward: Forward, path: string): Promise<void> {
  const { body } = await status(forward, path);
  const token = body.held?.fencing_token ?? 1;
  const said = { fencing_token: token, reason: 'x', actor: 'x', confirm_alive: true };
  await forward({ method: 'POST', path: `${lockOf(path)}/break`, body: said });
}
