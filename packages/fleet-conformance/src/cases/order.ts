/** Section 4: the newest commit wins among the waiters of one key. */
import { claimHeldSchema } from '@tenant-fleet/fleet-core/contract';
import type { Case } from '../case.js';
import { must } from '../miss.js';

const at = (number: number, key = 'conformance/repository@main') => ({ order: { key, number } });

export const order: Case[] = [
  {
    id: '4.30',
    title: 'A higher number supersedes the waiters of its key, and takes their earliest place',
    loses: 'every commit of a busy branch is rolled one after the other, the newest last',
    async check({ group }) {
      const holder = await group.holder('holder', at(1));
      const older = await group.waiter('older', at(2));
      await group.waiter('stranger');
      const newest = await group.claim('newest', at(5)).queued();
      must(newest.position === 1, `it got place ${newest.position} in place of the one that it superseded`);
      const { by } = (await older.put()).refuses(409, 'superseded');
      must(by?.number === 5, 'the refusal does not say which number superseded it');
      (await older.put()).refuses(409, 'superseded');
      const renewed = await holder.renew();
      must(renewed.status === 200, `${renewed}: the holder was cancelled`);
    },
  },
  {
    id: '4.31',
    title: 'A lower number than the one that waits or holds is outdated',
    loses: 'an older commit is rolled over a newer one',
    async check({ group }) {
      await group.holder('holder', at(10));
      const behind = (await group.claim('older', at(9)).put()).refuses(409, 'outdated');
      must(behind.by?.number === 10, 'the refusal does not say which number is newer');
      await group.waiter('newer', at(20));
      (await group.claim('between', at(15)).put()).refuses(409, 'outdated');
    },
  },
  {
    id: '4.32',
    title: 'Claims of another key, and without an order, are left alone',
    loses: 'a rollback, or another branch, is dropped as outdated',
    async check({ group }) {
      await group.holder('holder', at(10));
      await group.waiter('without');
      await group.waiter('rollback', at(1, 'conformance/rollback'));
      const queue = await group.claim('newer', at(20)).queued();
      must(
        queue.queue_length === 3,
        `${queue.queue_length} wait, where nobody was superseded and three came`,
      );
    },
  },
  {
    id: '4.33',
    title: 'What proved the fleet marks its order: lower ones are outdated from then on',
    loses: 'a late run of an older commit rolls the fleet backwards',
    async check({ group }) {
      const proven = await group.holder('proven', at(10));
      await proven.release({ result: 'proven' });
      (await group.claim('older', at(9)).put()).refuses(409, 'outdated');
      await group.holder('newer', at(11));
    },
  },
  {
    id: '4.34',
    title: 'Work that proved nothing marks nothing',
    loses: 'a run that only took the lock keeps the deploy of an older commit away',
    async check({ group }) {
      const work = await group.holder('work', at(10));
      await work.release({ result: 'none' });
      (await group.claim('older', at(9)).put()).is(200, claimHeldSchema);
    },
  },
];
