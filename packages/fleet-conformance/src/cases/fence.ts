/** Section 4, where rolls are held to the lock: on a scratch fleet. */
import { redeployAnswerSchema, renewAnswerSchema } from '@tenant-fleet/fleet-core/contract';
import type { Bench, Case } from '../case.js';
import type { ScratchFleet } from '../fleet.js';
import { must, Unproven } from '../miss.js';
import { sleep } from '../wait.js';

const scratch = ({ fleet }: Bench): ScratchFleet => {
  if (!fleet) throw new Unproven('it needs a scratch fleet');
  return fleet;
};

/** A holder, and one before it whose hold is over. */
async function succession(bench: Bench) {
  const fleet = scratch(bench);
  const over = await bench.group.holder('over');
  await over.release();
  return { fleet, over, holder: await bench.group.holder() };
}

export const fence: Case[] = [
  {
    id: '4.70',
    title: 'A real roll without the fence is refused with 428 fence_missing, and rolls nothing',
    loses: 'whoever forgets the lock rolls beside whoever holds it',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      await bench.group.holder();
      await fleet.unchangedBy(async (slugs) =>
        (await fleet.roll({ only_slugs: slugs }, {})).refuses(428, 'fence_missing'),
      );
    },
  },
  {
    id: '4.71',
    title:
      'A token that is over, that was never granted, or of another group is refused with 412 stale_fence',
    loses: 'a run that lost the lock goes on rolling beside its successor',
    full: true,
    async check(bench) {
      const { fleet, over, holder } = await succession(bench);
      await fleet.unchangedBy(async (slugs) => {
        for (const headers of [
          fleet.fence(over),
          fleet.fence({ ...holder, token: holder.token + 1 }),
          { ...fleet.fence(holder), 'fleet-lock-group': 'conformance-another-group' },
        ])
          (await fleet.roll({ only_slugs: slugs }, headers)).refuses(412, 'stale_fence');
      });
    },
  },
  {
    id: '4.72',
    title: 'A token that comes with another claim than it was granted to is refused with 412',
    loses: 'after a database is restored, an old run passes with a number that was handed out again',
    full: true,
    async check(bench) {
      const { fleet, over, holder } = await succession(bench);
      await fleet.unchangedBy(async (slugs) => {
        const headers = fleet.fence({ token: holder.token, id: over.id });
        (await fleet.roll({ only_slugs: slugs }, headers)).refuses(412, 'stale_fence');
      });
    },
  },
  {
    id: '4.73',
    title:
      'While a roll under an older token runs, the next lease is told "draining", and its roll 409 with Retry-After',
    loses: 'two rolls of one fleet overlap after a lease was lost or broken',
    feature: 'draining',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      const { slug } = await fleet.stale();
      const old = await bench.group.holder('old');
      let done = false;
      const running = fleet.roll({ only_slugs: [slug] }, fleet.fence(old)).finally(() => {
        done = true;
      });
      try {
        await sleep(0.3);
        await bench.group.post('break', { fencing_token: old.token, confirm_alive: true });
        const next = await bench.group.holder('next');
        const seen = (await next.renew()).is(200, renewAnswerSchema);
        const second = await fleet.roll({ only_slugs: [slug] }, fleet.fence(next));
        if (done) throw new Unproven('the roll was over before anybody could come in between');
        must(seen.draining, 'the lease of the next one says nothing of the roll that runs');
        second.refuses(409, 'draining');
        must(/^\d+$/.test(second.headers['retry-after'] ?? ''), `${second} without Retry-After`);
        await running;
        const after = (await next.renew()).is(200, renewAnswerSchema);
        must(!after.draining, 'the lease still says "draining" after the roll ended');
      } finally {
        // The next case would meet it.
        await running.catch(() => {});
      }
    },
  },
  {
    id: '4.74',
    title: 'The holder rolls what it names, and the tenant answers the new commit',
    loses: 'a deploy is reported that reached nobody, or reached tenants that were left out',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      const { slug, slugs, commits } = await fleet.stale();
      const others = slugs.filter((one) => one !== slug);
      const holder = await bench.group.holder();
      const answer = await fleet.roll({ only_slugs: [slug] }, fleet.fence(holder));
      const { results } = answer.is(200, redeployAnswerSchema);
      must(
        results.length === 1 && results[0]?.slug === slug,
        'the rows are not of the tenant that was named',
      );
      const [commit] = await fleet.commits([slug]);
      must(commit === fleet.options.expectedSha, `the tenant ${slug} answers "${commit}" after it`);
      const before = commits.filter((_, index) => slugs[index] !== slug);
      must((await fleet.commits(others)).join() === before.join(), 'a tenant that was not named was rolled');
    },
  },
  {
    id: '4.75',
    title: 'A real roll marks its order: lower ones are outdated from then on',
    loses: 'an older commit is rolled over a newer one that was not proven',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      const [slug] = await fleet.slugs();
      const key = `conformance/${Date.now()}`;
      const holder = await bench.group.holder('rolls', { order: { key, number: 10 } });
      (await fleet.roll({ only_slugs: [slug] }, fleet.fence(holder))).is(200, redeployAnswerSchema);
      await holder.release({ result: 'not_proven' });
      (await bench.group.claim('older', { order: { key, number: 9 } }).put()).refuses(409, 'outdated');
    },
  },
];
