/** Section 4: waiting for the lock, and losing it. */
import { claimHeldSchema, claimQueuedSchema, releaseAnswerSchema } from '@tenant-fleet/fleet-core/contract';
import type { Case } from '../case.js';
import { mustGrow } from '../group.js';
import { must } from '../miss.js';
import { mustWait, mustWake, sleep, timed } from '../wait.js';

/** Longest time, in seconds, after the end of a lease in which a server may notice it. */
const NOTICED_WITHIN = 15;

export const queue: Case[] = [
  {
    id: '4.20',
    title: 'Who waits is told its place, and who holds the lock',
    loses: 'nobody can say why a deploy does not start, and whom to ask',
    async check({ group }) {
      await group.holder('the holder');
      const second = await group.claim('second').queued();
      must(second.position === 1, `the first in the queue is told the place ${second.position}`);
      must(second.holder?.name === 'the holder', 'the holder is not named to who waits');
      const third = await group.claim('third').queued();
      must(
        third.position === 2 && third.queue_length === 2,
        `the second of two is told place ${third.position} of ${third.queue_length}`,
      );
    },
  },
  {
    id: '4.21',
    title: 'First come, first served, with growing tokens',
    loses: 'a run waits for ever while later ones pass it',
    async check({ group }) {
      const first = await group.holder('first');
      const waiters = [await group.waiter('a'), await group.waiter('b'), await group.waiter('c')];
      const tokens = [first.token];
      let holder = first;
      for (const [index, next] of waiters.entries()) {
        await holder.release();
        for (const later of waiters.slice(index + 1)) await later.queued();
        holder = await next.held();
        tokens.push(holder.token);
      }
      mustGrow(tokens);
    },
  },
  {
    id: '4.22',
    title: 'A claim waits on the server for as long as it asked for',
    loses: 'clients poll without a pause, and learn of the lock late',
    async check({ group }) {
      await group.holder();
      const [answer, seconds] = await timed(group.claim('waiter').put({ wait: 2 }));
      answer.is(202, claimQueuedSchema);
      mustWait(seconds, 2, 'a claim');
    },
  },
  {
    id: '4.23',
    title: 'A waiting claim is told at once that the lock is its own',
    loses: 'the fleet stands idle between two deploys',
    async check({ group }) {
      const holder = await group.holder();
      const waiter = await group.waiter();
      const waiting = timed(waiter.put({ wait: 20 }));
      await sleep(0.3);
      await holder.release();
      const [answer, seconds] = await waiting;
      answer.is(200, claimHeldSchema);
      mustWake(seconds - 0.3, 'the waiter');
    },
  },
  {
    id: '4.24',
    title: 'Who leaves the queue is passed over',
    loses: 'the lock goes to runs that are gone',
    async check({ group }) {
      const holder = await group.holder();
      const gone = await group.waiter('gone');
      const next = await group.waiter('next');
      (await gone.release()).is(200, releaseAnswerSchema);
      must((await next.queued()).position === 1, 'who left still has its place');
      await holder.release();
      await next.held();
      (await gone.put()).refuses(410, 'claim_over');
    },
  },
  {
    id: '4.25',
    title: 'A lease that is not renewed ends after its time to live, and not before',
    loses: 'a killed run blocks every later deploy, or a living one loses the lock',
    async check({ group }) {
      const dead = await group.holder('dead', { ttl: 3 });
      const waiter = await group.waiter();
      const [answer, seconds] = await timed(waiter.put({ wait: 20 }));
      answer.is(200, claimHeldSchema);
      must(seconds >= 2, `a lease of 3 s was given away after ${seconds.toFixed(1)} s`);
      must(seconds <= 3 + NOTICED_WITHIN, `a lease of 3 s was given away after ${seconds.toFixed(1)} s only`);
      (await dead.renew()).refuses(409, 'lease_lost');
      (await dead.put()).refuses(410, 'claim_over');
    },
  },
  {
    id: '4.26',
    title: 'Renewals keep the lease',
    loses: 'every roll that takes longer than one TTL loses the lock half way',
    async check({ group }) {
      const holder = await group.holder('alive', { ttl: 2 });
      const waiter = await group.waiter();
      const waiting = waiter.put({ wait: 6 });
      for (let beat = 0; beat < 12; beat += 1) {
        await sleep(0.5);
        const answer = await holder.renew();
        must(answer.status === 200, `${answer} while the lease was renewed four times in each TTL`);
      }
      (await waiting).is(202, claimQueuedSchema);
    },
  },
  {
    id: '4.27',
    title: 'A lease ends at max_hold_seconds, however it is renewed',
    loses: 'a run that hangs, and renews, blocks the fleet for ever',
    async check({ group }) {
      const holder = await group.holder('hangs', { maxHold: 2 });
      for (let beat = 0; beat < 2 * (2 + NOTICED_WITHIN); beat += 1) {
        await sleep(0.5);
        const answer = await holder.renew();
        if (answer.status === 200) continue;
        answer.refuses(409, 'lease_lost');
        return;
      }
      must(false, `it was renewed for ${2 + NOTICED_WITHIN} s, where 2 s were allowed`);
    },
  },
];
