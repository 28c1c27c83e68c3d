/** Section 4: the record of rollouts. */
import {
  ROLLOUT_MAX_BYTES,
  releaseAnswerSchema,
  rolloutEntrySchema,
  rolloutsSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { Case } from '../case.js';
import { must } from '../miss.js';

const ROLLOUT = {
  target_tag: 'conformance',
  expected_sha: 'c'.repeat(40),
  tool_version: '0.0.0',
  tenants: [{ slug: 'acme', status: 'stale', phase: 'canary', baseline_sha: null, observed_sha: null }],
  from_a_newer_client: { kept: true },
};

export const rollouts: Case[] = [
  {
    id: '4.60',
    title:
      'A rollout is on record while it runs and with its verdict; lists leave its tenants out, and fields stay',
    loses: 'a killed run leaves no trace, and the next one cannot tell which tenants are gone',
    feature: 'rollouts',
    async check({ group }) {
      const claim = await group.holder();
      const saved = await claim.rollout(ROLLOUT);
      must(saved.status === 200, `${saved}, not 200`);
      const list = (await group.get('/rollouts?limit=1')).is(200, rolloutsSchema).rollouts;
      must(list[0]?.claim_id === claim.id && list[0].state === 'running', 'it is not listed as running');
      must(!list[0].rollout.tenants, 'the list carries the tenants');
      const one = (await group.get(`/rollouts/${claim.id}`)).is(200, rolloutEntrySchema);
      must(one.rollout.tenants?.[0]?.slug === 'acme', 'its tenants are not kept');
      must(
        (one.rollout.from_a_newer_client as { kept?: boolean } | undefined)?.kept,
        'a field that the server does not know is not kept',
      );
      const end = { ...ROLLOUT, outcome: 'failed' };
      (await claim.release({ result: 'not_proven', rollout: end })).is(200, releaseAnswerSchema);
      const ended = (await group.get(`/rollouts/${claim.id}`)).is(200, rolloutEntrySchema);
      must(ended.state === 'ended' && ended.rollout.outcome === 'failed', 'its verdict is not kept');
    },
  },
  {
    id: '4.61',
    title: 'A rollout whose claim ended without a verdict is lost',
    loses: 'a killed run looks as if it went on for ever',
    feature: 'rollouts',
    async check({ group }) {
      const claim = await group.holder();
      await claim.rollout(ROLLOUT);
      await group.post('break', { fencing_token: claim.token, confirm_alive: true });
      const { state } = (await group.get(`/rollouts/${claim.id}`)).is(200, rolloutEntrySchema);
      must(state === 'lost', `it is "${state}"`);
    },
  },
  {
    id: '4.62',
    title: 'The history is listed newest first, page by page',
    loses: '`fleet history` shows a part, or the wrong end',
    feature: 'rollouts',
    async check({ group }) {
      const ids: string[] = [];
      for (const name of ['first', 'second']) {
        const claim = await group.holder(name);
        await claim.release({ rollout: { ...ROLLOUT, outcome: name } });
        ids.unshift(claim.id);
      }
      const newest = (await group.get('/rollouts?limit=1')).is(200, rolloutsSchema);
      must(
        newest.rollouts.length === 1 && newest.rollouts[0]?.claim_id === ids[0],
        'the newest is not first',
      );
      must(newest.next_before != null, 'the first page of two does not say where the next one begins');
      const rest = await group.get(`/rollouts?limit=1&before=${encodeURIComponent(newest.next_before)}`);
      must(rest.is(200, rolloutsSchema).rollouts[0]?.claim_id === ids[1], 'the next page is another one');
      const failed = (await group.get('/rollouts?outcome=first')).is(200, rolloutsSchema).rollouts;
      must(
        failed[0]?.claim_id === ids[1] && !failed.some(({ claim_id }) => claim_id === ids[0]),
        '"outcome" is ignored',
      );
    },
  },
  {
    id: '4.63',
    title: 'Only the holder writes the record of its rollout',
    loses: 'a run that lost its lease overwrites what its successor needs',
    feature: 'rollouts',
    async check({ group }) {
      const claim = await group.holder();
      (await claim.rollout(ROLLOUT, { fencing_token: claim.token + 1 })).isBadRequest();
      (await claim.rollout(ROLLOUT, { session: 'conformance-another-one' })).isBadRequest();
      const { rollouts: list } = (await group.get('/rollouts?limit=1')).is(200, rolloutsSchema);
      must(list[0]?.claim_id !== claim.id, 'what another one sent is on record');
    },
  },
  {
    id: '4.64',
    title: 'A record above 8 MiB is refused with 413, and the release that carried it counts',
    loses: 'a large fleet keeps its lock after the run, until the lease ends',
    feature: 'rollouts',
    async check({ group }) {
      const claim = await group.holder();
      const rollout = { ...ROLLOUT, padding: 'x'.repeat(ROLLOUT_MAX_BYTES) };
      const answer = await claim.release({ rollout });
      must(answer.status === 413, `${answer}, not 413`);
      await group.holder('next');
    },
  },
];
