/** A page for people: the locks, what runs, what was rolled. It is open; what it shows is loaded with a token. */
import { LOCKS_PATH, type LockStatus } from '@tenant-fleet/fleet-core/contract';
import { renderDashboard, renderGroup, renderRolloutPart } from '@tenant-fleet/fleet-core/render';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Reader } from '../db/database.js';
import { claimParams, groupParams } from '../lock/api/params.js';
import { entryOf, unknownRollout } from '../lock/api/rollouts.js';
import type { StatusService } from '../lock/api/status.js';
import { readLastEvents } from '../lock/store/queries.js';
import { readRollout, readRollouts } from '../lock/store/rollouts.js';

const SHOWN = { rollouts: 20, events: 30 };
const ANY = { before: undefined, outcome: undefined };
const PROOFS = ['succeeded', 'succeeded_with_quarantine'];

/** Where the page is. It asks this server by paths below, so that it works behind a prefix too. */
export const DASHBOARD_PATH = '/';

export const dashboardRoutes: FastifyPluginAsyncZod<{ status: StatusService; db: Reader }> = async (
  app,
  { status, db },
) => {
  const page = renderDashboard();
  const schema = { hide: true };
  app.get(DASHBOARD_PATH, { schema }, async (_request, reply) =>
    send(reply.header('content-security-policy', page.policy), page.html),
  );

  app.get(
    `${LOCKS_PATH}/:group/dashboard`,
    { schema: { ...schema, params: groupParams } },
    async ({ params: { group }, caller, over }, reply) => {
      const [seen, rollouts, proven, events] = await Promise.all([
        status.status(group, undefined, 0, over),
        readRollouts(db, group, { limit: SHOWN.rollouts, ...ANY }),
        lastProof(db, group),
        readLastEvents(db, group, SHOWN.events),
      ]);
      const part = renderGroup({
        status: JSON.parse(seen) as LockStatus,
        rollouts: rollouts.map(entryOf),
        proven: proven && entryOf(proven),
        events,
        mayOperate: caller?.scopes.has('operate') ?? false,
      });
      return send(reply, part);
    },
  );

  app.get(
    `${LOCKS_PATH}/:group/dashboard/:claim_id`,
    { schema: { ...schema, params: claimParams } },
    async ({ params: { group, claim_id: claim } }, reply) => {
      const row = await readRollout(db, group, claim);
      if (!row) throw unknownRollout(claim);
      return send(reply, renderRolloutPart(group, entryOf(row)));
    },
  );
};

async function lastProof(db: Reader, group: string) {
  const pages = await Promise.all(
    PROOFS.map((outcome) => readRollouts(db, group, { ...ANY, limit: 1, outcome })),
  );
  const [newest] = pages.flat().sort((one, other) => other.token - one.token);
  return newest ? ((await readRollout(db, group, newest.claimId)) ?? null) : null;
}

const send = (reply: FastifyReply, html: string) =>
  reply
    .type('text/html; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .serializer((text: string) => text)
    .send(html);
