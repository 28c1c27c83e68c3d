/** Section 4: what people do with a lock, and what they see of it. */
import {
  claimQueuedSchema,
  lockCollectionSchema,
  lockEventsSchema,
  lockStatusSchema,
  renewAnswerSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { Case } from '../case.js';
import { must } from '../miss.js';
import { mustWait, mustWake, sleep, timed } from '../wait.js';

const ok = (answer: { status: number }) => must(answer.status === 200, `${answer}, not 200`);

export const people: Case[] = [
  {
    id: '4.40',
    title: 'A break names the token that it means: token_mismatch where another holds by now',
    loses: 'somebody who wants to end a dead run ends its successor',
    async check({ group }) {
      const holder = await group.holder();
      const answer = await group.post('break', { fencing_token: holder.token + 1, confirm_alive: true });
      answer.refuses(409, 'token_mismatch');
      (await holder.renew()).is(200, renewAnswerSchema);
    },
  },
  {
    id: '4.41',
    title: 'A holder that renews is broken only where that is confirmed',
    loses: 'a running deploy is ended by mistake',
    async check({ group }) {
      const holder = await group.holder();
      (await holder.renew()).is(200, renewAnswerSchema);
      (await group.post('break', { fencing_token: holder.token })).refuses(409, 'holder_alive');
      (await holder.renew()).is(200, renewAnswerSchema);
    },
  },
  {
    id: '4.42',
    title: 'A confirmed break ends the lease, hands the lock on, and stands in the audit log',
    loses: 'a run that hangs cannot be ended, or nobody knows who ended it',
    async check({ group }) {
      const holder = await group.holder();
      const next = await group.waiter('next');
      ok(
        await group.post('break', {
          fencing_token: holder.token,
          confirm_alive: true,
          actor: 'conformance-ann',
        }),
      );
      (await holder.renew()).refuses(409, 'lease_lost');
      (await holder.put()).refuses(410, 'claim_over');
      await next.held();
      const { events } = (await group.get('/events')).is(200, lockEventsSchema);
      const row = events.find(({ claim_id, actor }) => claim_id === holder.id && actor === 'conformance-ann');
      must(row, 'no row of the audit log names the claim and who broke it');
    },
  },
  {
    id: '4.43',
    title: 'A frozen lock grants nothing, keeps its queue, leaves its holder alone, and says why',
    loses: 'deploys go on in the middle of an incident',
    async check({ group }) {
      const holder = await group.holder();
      const next = await group.waiter('next');
      ok(await group.post('freeze', { reason: 'conformance freeze' }));
      (await holder.renew()).is(200, renewAnswerSchema);
      await holder.release();
      const waiting = (await next.put()).is(202, claimQueuedSchema);
      must(
        waiting.frozen?.reason === 'conformance freeze',
        'who waits is not told of the freeze and its reason',
      );
      (await group.claim('late').put()).is(202, claimQueuedSchema);
      ok(await group.post('unfreeze', {}));
      await next.held();
    },
  },
  {
    id: '4.44',
    title: 'A second freeze is refused unless it replaces the first; an unfreeze of nothing is refused',
    loses: "one person's unfreeze lifts another's hold",
    async check({ group }) {
      // A group comes to be with its first claim.
      await group.holder();
      (await group.post('unfreeze', {})).refuses(409, 'not_frozen');
      ok(await group.post('freeze', { reason: 'first' }));
      const { frozen } = (await group.post('freeze', { reason: 'second' })).refuses(409, 'already_frozen');
      must(frozen?.reason === 'first', 'the refusal does not show the freeze that stands');
      ok(await group.post('freeze', { reason: 'second', replace: true }));
      ok(await group.post('unfreeze', {}));
    },
  },
  {
    id: '4.50',
    title: 'The status shows who holds, who waits, and the last token',
    loses: '`fleet lock status` shows nothing, or the wrong run is broken',
    async check({ group }) {
      const holder = await group.holder('the holder');
      const waiter = await group.waiter('the waiter');
      const status = (await group.get('/')).is(200, lockStatusSchema);
      must(status.held?.claim_id === holder.id, 'the holder is not shown');
      must(status.held.holder.name === 'the holder', 'the name of the holder is not shown');
      must(status.held.fencing_token === holder.token, 'the token of the holder is not shown');
      must(
        status.last_fencing_token >= holder.token,
        'last_fencing_token is lower than one that was granted',
      );
      must(status.queue[0]?.claim_id === waiter.id, 'who waits is not shown');
    },
  },
  {
    id: '4.51',
    title: 'The status waits for a change when it is asked to',
    loses: '`--watch` polls without a pause, and shows changes late',
    async check({ group }) {
      const holder = await group.holder();
      const { version } = (await group.get('/')).is(200, lockStatusSchema);
      const [, quiet] = await timed(group.get(`/?after_version=${version}&wait_seconds=2`));
      mustWait(quiet, 2, 'the status');
      const changing = timed(group.get(`/?after_version=${version}&wait_seconds=20`));
      await sleep(0.3);
      await holder.release();
      const [answer, seconds] = await changing;
      const status = answer.is(200, lockStatusSchema);
      must(status.version > version && status.held === null, 'the status does not show the release');
      mustWake(seconds - 0.3, 'who watches');
    },
  },
  {
    id: '4.52',
    title: 'A group that nobody ever named is unknown',
    loses: 'a mistyped group looks like a free lock',
    async check({ server, group }) {
      const nobody = `${group.path}-nobody-${Date.now()}`.slice(0, `/cp/admin/fleet-locks/`.length + 63);
      (await server.call('GET', nobody)).refuses(404, 'unknown_group');
    },
  },
  {
    id: '4.53',
    title: 'The audit log has a row for every transition, in order, and can be read on from a place',
    loses: 'what happened to a deploy cannot be found out afterwards',
    async check({ group }) {
      const claim = await group.holder();
      await claim.release();
      const { events } = (await group.get('/events')).is(200, lockEventsSchema);
      const mine = events.filter(({ claim_id }) => claim_id === claim.id);
      must(mine.length >= 2, `${mine.length} rows of a claim that was granted and released`);
      for (const [index, { seq }] of events.slice(1).entries())
        must(seq > (events[index]?.seq ?? 0), 'the numbers of the rows do not grow');
      const last = events.at(-1)?.seq ?? 0;
      const after = (await group.get(`/events?after=${last - 1}`)).is(200, lockEventsSchema).events;
      must(
        after.every(({ seq }) => seq >= last),
        '"after" answers rows from before it',
      );
    },
  },
  {
    id: '4.54',
    title: 'The collection lists the groups, and what the server can do',
    loses: 'clients take every feature for missing, and `fleet lock list` is empty',
    async check({ server, group }) {
      await group.holder();
      const answer = await server.collection();
      const { groups } = answer.is(200, lockCollectionSchema);
      must(Array.isArray((answer.json as { features?: unknown }).features), `${answer} without "features"`);
      const own = groups.find((one) => one.group === group.name);
      must(own?.held, 'the group that is held now is not listed as held');
    },
  },
];
