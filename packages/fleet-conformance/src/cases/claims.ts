/** Section 4: a claim, from its first request to its end. */
import { randomUUID } from 'node:crypto';
import {
  claimHeldSchema,
  LOCKS_PATH,
  releaseAnswerSchema,
  renewAnswerSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { Case } from '../case.js';
import { mustGrow } from '../group.js';
import { must } from '../miss.js';

export const claims: Case[] = [
  {
    id: '4.01',
    title: 'A claim of a free lock is granted, with a token below 2^53, its time to live and when it began',
    loses: 'nothing can be deployed under this lock',
    async check({ group }) {
      const grant = (await group.claim('first').put({ ttl: 45 })).is(200, claimHeldSchema);
      must(grant.ttl_seconds === 45, `45 s were asked for, and ${grant.ttl_seconds} s granted`);
      must(!Number.isNaN(Date.parse(grant.acquired_at)), 'acquired_at is no time');
    },
  },
  {
    id: '4.02',
    title: 'Every call needs the token',
    loses: 'whoever reaches the server can take, break and freeze the lock of a fleet',
    async check({ server, group }) {
      const body = { session: 'conformance-nobody', ttl_seconds: 60, holder: { name: 'nobody' } };
      for (const token of [null, 'not-the-token-of-this-server']) {
        const answers = [
          await server.collection({ token }),
          await server.call('GET', group.path, { token }),
          await server.call('PUT', `${group.path}/claims/${randomUUID()}?wait_seconds=0`, { token, body }),
          await server.call('POST', `${group.path}/freeze`, { token, body: { reason: 'x', actor: 'x' } }),
        ];
        for (const answer of answers)
          must(
            answer.status === 401 || answer.status === 403,
            `${answer} to ${token ? 'a wrong' : 'no'} token`,
          );
      }
      await group.holder();
    },
  },
  {
    id: '4.03',
    title: 'The same request again, as after a lost answer, keeps the grant and its token',
    loses: 'a lost answer costs the lease, or the client waits for itself until the lease ends',
    async check({ group }) {
      const claim = await group.holder();
      const again = (await claim.put()).is(200, claimHeldSchema);
      must(
        again.fencing_token === claim.token,
        `the same claim got the token ${claim.token}, then ${again.fencing_token}`,
      );
    },
  },
  {
    id: '4.04',
    title: 'A second process with the same claim is refused as claim_in_use',
    loses: 'two copies of one job hold one lock and roll at the same time',
    async check({ group }) {
      const claim = await group.holder();
      (await claim.put({ more: { session: 'conformance-a-second-process' } })).refuses(409, 'claim_in_use');
    },
  },
  {
    id: '4.05',
    title: 'The same claim with another body is refused with 422',
    loses: 'a mixed-up request passes for a repetition',
    async check({ group }) {
      const claim = await group.holder();
      const answer = await claim.put({ order: { key: 'other', number: 7 } });
      must(answer.status === 422, `${answer}, not 422`);
    },
  },
  {
    id: '4.06',
    title: 'Twelve claims at once: one is granted, eleven wait at places of their own',
    loses: 'two runs roll one fleet at the same time',
    async check({ group }) {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, n) => group.claim(`rival ${n}`).put()),
      );
      const held = answers.filter(({ status }) => status === 200);
      must(held.length === 1, `${held.length} of 12 claims hold the lock`);
      const queue = await Promise.all(answers.filter(({ status }) => status !== 200));
      for (const answer of queue) must(answer.status === 202, `${answer}, not 202`);
    },
  },
  {
    id: '4.07',
    title: 'Fencing tokens grow with every grant',
    loses: 'a run that lost the lease cannot be told from its successor',
    async check({ group }) {
      const tokens: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        const claim = await group.holder(`round ${round}`);
        tokens.push(claim.token);
        await claim.release();
      }
      mustGrow(tokens);
    },
  },
  {
    id: '4.08',
    title: 'A renewal by the holder is answered with the time to live',
    loses: 'no lease outlives its first TTL, and every longer roll stops half way',
    async check({ group }) {
      const claim = await group.holder();
      (await claim.renew({ step: 'conformance' })).is(200, renewAnswerSchema);
    },
  },
  {
    id: '4.09',
    title: 'A renewal with another token is refused as lease_lost, and one by another process is refused',
    loses: 'a run that lost its lease takes itself for the holder and goes on rolling',
    async check({ group }) {
      const claim = await group.holder();
      (await claim.renew({ fencing_token: claim.token + 1 })).refuses(409, 'lease_lost');
      const other = await claim.renew({ session: 'conformance-another-one' });
      must(other.status === 409, `${other}, not 409`);
      (await claim.renew()).is(200, renewAnswerSchema);
    },
  },
  {
    id: '4.10',
    title: 'A release frees the lock, and says when it did so before',
    loses: 'the lock stays held after a run, or a repeated release is taken for an error',
    async check({ group }) {
      const claim = await group.holder();
      const first = (await claim.release()).is(200, releaseAnswerSchema);
      must(!first.already, 'the first release says that it was released before');
      const second = (await claim.release()).is(200, releaseAnswerSchema);
      must(second.already, 'the second release does not say that it was released before');
      await group.holder('next');
    },
  },
  {
    id: '4.11',
    title: 'A late release touches no successor',
    loses: 'the clean-up of an old run takes the lock away from a running one',
    async check({ group }) {
      const old = await group.holder('old');
      await old.release();
      const next = await group.holder('next');
      await old.release();
      (await next.renew()).is(200, renewAnswerSchema);
      await group.waiter('third');
    },
  },
  {
    id: '4.12',
    title: 'A claim that ended stays ended: 410 claim_over',
    loses: 'a delayed request takes the lock for a run that is long over',
    async check({ group }) {
      const claim = await group.holder();
      await claim.release();
      const problem = (await claim.put()).refuses(410, 'claim_over');
      must(problem.state, 'the refusal does not say in which state the claim ended');
    },
  },
  {
    id: '4.13',
    title: 'Request fields that the server does not know are ignored',
    loses: 'every newer client stops working with this server',
    async check({ group }) {
      const newer = { from_a_newer_client: { deep: [1] } };
      const claim = await group.holder('newer', { more: { ...newer, holder: { name: 'newer', ...newer } } });
      (await claim.renew(newer)).is(200, renewAnswerSchema);
      (await claim.release(newer)).is(200, releaseAnswerSchema);
      const frozen = await group.post('freeze', newer);
      must(frozen.status === 200, `${frozen}, not 200`);
    },
  },
  {
    id: '4.14',
    title: 'Malformed requests are refused, and claim nothing',
    loses: 'a broken client holds locks that nobody can attribute',
    async check({ server, group }) {
      const path = `${group.path}/claims/${randomUUID()}?wait_seconds=0`;
      const good = { session: 'conformance-malformed', ttl_seconds: 60, holder: { name: 'malformed' } };
      for (const body of ['{', '[]', {}, { ...good, ttl_seconds: 'soon' }, { ...good, session: '' }])
        (await server.call('PUT', path, { body })).isBadRequest();
      (
        await server.call('PUT', `${group.path}/claims/not-a-uuid?wait_seconds=0`, { body: good })
      ).isBadRequest();
      const name = `${LOCKS_PATH}/Not%20A%20Group/claims/${randomUUID()}?wait_seconds=0`;
      (await server.call('PUT', name, { body: good })).isBadRequest();
      await group.holder();
    },
  },
];
