import {
  claimHeldSchema,
  claimQueuedSchema,
  lockCollectionSchema,
  lockEventsSchema,
  lockStatusSchema,
  releaseAnswerSchema,
  renewAnswerSchema,
} from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { Client, eventually, expectProblem, sql, startPlane } from '../support/plane.js';

let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ queueLimit: 5 });
});
afterAll(() => plane.close());
/** Each test has a lock of its own. */
const lock = () => new Client(plane.url);

describe('claiming', () => {
  it('grants a free lock at once, in the words of the contract', async () => {
    client = lock();
    const claim = client.claim('one', {
      holder: { name: 'one', actor: 'ada', run_url: 'https://ci.example/1' },
    });
    const answer = await claim.put();
    expect(answer.status).toBe(200);
    expect(claimHeldSchema.parse(answer.body)).toMatchObject({ state: 'held', ttl_seconds: 30 });
    const status = lockStatusSchema.parse(await client.status());
    expect(status).toMatchObject({
      group: client.group,
      queue: [],
      frozen: null,
      last_fencing_token: answer.body.fencing_token,
      held: { claim_id: claim.id, fencing_token: answer.body.fencing_token, step: null, alive: true },
    });
    expect(status.held?.holder).toEqual({ name: 'one', actor: 'ada', run_url: 'https://ci.example/1' });
  });

  it('tells a waiter who holds, and its place', async () => {
    client = lock();
    const holder = await client.holding('one', { holder: { name: 'one', actor: 'ada' } });
    await holder.renew({ step: 'batch 2 of 4' });
    await client.waiting('two');
    const answer = await client.claim('three').put();
    expect(answer.status).toBe(202);
    expect(claimQueuedSchema.parse(answer.body)).toMatchObject({
      state: 'queued',
      position: 2,
      queue_length: 2,
      holder: { name: 'one', actor: 'ada', step: 'batch 2 of 4', alive: true },
    });
    expect(answer.body.holder.held_for_seconds).toBeTypeOf('number');
    expect(answer.body.holder.last_renew_seconds_ago).toBeTypeOf('number');
    expect(answer.body).not.toHaveProperty('frozen');
  });

  it('answers the same request twice with the same grant, and records it once', async () => {
    client = lock();
    const claim = client.claim('one');
    const first = await claim.put();
    const second = await claim.put();
    expect(second.body).toEqual(first.body);
    expect(await client.kinds()).toEqual(['granted']);
  });

  it('keeps the place of a waiter that asks again', async () => {
    client = lock();
    await client.holding('holder');
    const early = await client.waiting('early');
    await client.waiting('late');
    expect((await early.put()).body.position).toBe(1);
    expect(await client.kinds()).toEqual(['granted', 'queued', 'queued']);
  });

  it('grants one of many that ask at the same moment', async () => {
    client = lock();
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => client.claim(`c${i}`).put()));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 202, 202, 202, 202, 202]);
  });

  it('refuses a second process, another body, and a queue that is full', async () => {
    client = lock();
    const claim = await client.holding('one');
    const { session } = claim;
    claim.session = 'another-process';
    expectProblem(await claim.put(), 409, 'claim_in_use');
    expectProblem(await claim.renew(), 409, 'claim_in_use');
    expectProblem(await claim.release(), 409, 'claim_in_use');
    claim.session = session;
    expectProblem(await claim.put({ ttl: 31 }), 422, 'claim_differs');
    expectProblem(await claim.put({ holder: { name: 'somebody else' } }), 422, 'claim_differs');
    for (let i = 0; i < 5; i += 1) await client.waiting(`w${i}`, { order: { key: `k${i}`, number: 1 } });
    const full = await client.claim('too many').put();
    expectProblem(full, 429, 'queue_full');
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    // Whoever takes an older one's place makes the queue no longer.
    expect((await client.claim('newer', { order: { key: 'k0', number: 2 } }).put()).body.position).toBe(1);
  });
});

describe('hand-over', () => {
  it('goes to the earliest place, inside the release', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const claims = [];
    for (const name of ['a', 'b', 'c']) claims.push(await client.waiting(name));
    let last = holder;
    const tokens = [holder.token];
    for (const claim of claims) {
      await last.release();
      expect((await client.status()).held.claim_id).toBe(claim.id);
      expect((await claim.put()).status).toBe(200);
      tokens.push(claim.token);
      last = claim;
    }
    expect(tokens).toEqual([...tokens].sort((x, y) => x - y));
    expect(new Set(tokens).size).toBe(4);
  });

  it('answers the long poll of the next one, and of nobody else', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const next = await client.waiting('next');
    const other = await client.waiting('other');
    let otherAnswered = false;
    const nextPoll = next.put({ wait: 20 });
    const otherPoll = other.put({ wait: 20 }).then((answer) => {
      otherAnswered = true;
      return answer;
    });
    await holder.release();
    const granted = await nextPoll;
    expect(granted.status).toBe(200);
    // A grant that a long poll brought is short until its first renewal.
    expect(granted.body.ttl_seconds).toBe(15);
    expect(otherAnswered).toBe(false);
    expect((await next.renew()).body).toEqual({ state: 'held', ttl_seconds: 30 });
    await next.release();
    expect((await otherPoll).status).toBe(200);
  });

  it('is not lost when the release comes before the poll', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const next = await client.waiting('next');
    await holder.release();
    expect((await next.put({ wait: 20 })).status).toBe(200);
  });

  it('does not use a database connection while somebody waits', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const polls = [];
    for (let i = 0; i < 5; i += 1) polls.push((await client.waiting(`w${i}`)).put({ wait: 20 }));
    await eventually(async () => {
      const [row] = await sql<{ busy: string }>(
        plane.databaseUrl,
        `SELECT count(*) AS busy FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'`,
      );
      return row?.busy === '0';
    });
    await client.post('freeze', { reason: 'end of the test', actor: 'ada' });
    expect((await Promise.all(polls)).every((poll) => poll.body.frozen.reason === 'end of the test')).toBe(
      true,
    );
    await holder.release();
  });
});

describe('order', () => {
  const main = (number: number) => ({ order: { key: 'shop@main', number } });

  it('lets a newer run take the place of the older ones, and tells them by whom', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const old = await client.waiting('run 7', main(7));
    const hotfix = await client.waiting('hotfix', { order: { key: 'shop@hotfix', number: 1 } });
    const oldPoll = old.put({ wait: 20 });
    const newer = client.claim('run 8', main(8));
    expect((await newer.put()).body.position).toBe(1);
    const told = expectProblem(await oldPoll, 409, 'superseded');
    expect(told.by).toMatchObject({ number: 8, holder: { name: 'run 8' } });
    expectProblem(await old.put(), 409, 'superseded');
    await holder.release();
    expect((await client.status()).held.claim_id).toBe(newer.id);
    expect((await hotfix.put()).body.position).toBe(1);
    expect(await client.kinds()).toEqual([
      'granted',
      'queued',
      'queued',
      'superseded',
      'queued',
      'released',
      'granted',
    ]);
  });

  it('refuses an older run while a newer one waits or holds, for ever', async () => {
    client = lock();
    const holder = await client.holding('run 5', main(5));
    const older = client.claim('run 4', main(4));
    expect(expectProblem(await older.put(), 409, 'outdated').by).toMatchObject({ number: 5, state: 'held' });
    await holder.release();
    expectProblem(await older.put(), 409, 'outdated');
    // Nothing was rolled by run 5, so another claim of run 4 may go on.
    expect((await client.claim('run 4 again', main(4)).put()).status).toBe(200);
  });

  it('never ends the holder, and lets a run of the same number wait', async () => {
    client = lock();
    const holder = await client.holding('run 5', main(5));
    const again = await client.waiting('run 5 again', main(5));
    const newer = await client.waiting('run 6', main(6));
    expectProblem(await again.put(), 409, 'superseded');
    expect((await holder.renew()).status).toBe(200);
    expect((await newer.put()).body.position).toBe(1);
  });

  it('asks again at the grant', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const old = await client.waiting('run 4', main(4));
    const next = await client.waiting('next');
    await sql(plane.databaseUrl, 'INSERT INTO lock_order_marks VALUES ($1, $2, 9, $3)', [
      client.group,
      'shop@main',
      { name: 'run 9' },
    ]);
    await holder.release();
    expect((await next.put()).status).toBe(200);
    expect(expectProblem(await old.put(), 409, 'outdated').by).toMatchObject({ number: 9, state: 'rolled' });
  });

  it('survives a push storm: one waiter of the branch is left, and others are not delayed', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const storm = Array.from({ length: 100 }, (_, i) => client.claim(`run ${i}`, main(i)));
    await storm[0]?.put();
    const hotfix = await client.waiting('hotfix');
    for (const claim of storm) await claim.put();
    expect((await hotfix.put()).body).toMatchObject({ position: 2, queue_length: 2 });
    const answers = await Promise.all(storm.map((claim) => claim.put()));
    expect(answers.filter((answer) => answer.body.error === 'superseded')).toHaveLength(99);
    expect(answers.at(-1)?.body.position).toBe(1);
    await holder.release();
  });
});

describe('renewing and releasing', () => {
  it('renews with the token, and shows the step', async () => {
    client = lock();
    const claim = await client.holding('one');
    const { version } = await client.status();
    const answer = await claim.renew({ step: 'canary' });
    expect(renewAnswerSchema.parse(answer.body)).toEqual({ state: 'held', ttl_seconds: 30 });
    const status = await client.status();
    expect(status.held.step).toBe('canary');
    expect(status.version).toBe(version + 1);
    await claim.renew({ step: 'canary' });
    expect((await client.status()).version).toBe(version + 1);
  });

  it('says why a lease is lost', async () => {
    client = lock();
    const reason = async (claim: { renew(): Promise<Parameters<typeof expectProblem>[0]> }) =>
      expectProblem(await claim.renew(), 409, 'lease_lost').reason;
    const holder = await client.holding('holder');
    const waiter = await client.waiting('waiter');
    waiter.token = holder.token;
    expect(await reason(waiter)).toBe('not_held');
    const stranger = client.claim('stranger');
    stranger.token = holder.token;
    expect(await reason(stranger)).toBe('unknown_claim');
    const { token } = holder;
    holder.token += 1;
    expect(await reason(holder)).toBe('token_mismatch');
    holder.token = token;
    await holder.release();
    expect(await reason(holder)).toBe('released');
  });

  it('releases once, and never touches who came after', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const next = await client.waiting('next');
    const first = await holder.release({ fencing_token: holder.token, result: 'proven' });
    expect(releaseAnswerSchema.parse(first.body)).toEqual({ state: 'released', already: false });
    expect((await holder.release({ fencing_token: holder.token })).body).toEqual({
      state: 'released',
      already: true,
    });
    expect((await client.status()).held.claim_id).toBe(next.id);
    const events = await client.events();
    expect(events.find((event) => event.kind === 'released').detail).toEqual({ result: 'proven' });
    expectProblem(await holder.put(), 410, 'claim_over');
    expect((await holder.put()).body.state).toBe('released');
  });

  it("refuses to release with a token that is not the claim's", async () => {
    client = lock();
    const holder = await client.holding('holder');
    expectProblem(await holder.release({ fencing_token: holder.token + 1 }), 409, 'lease_lost');
    expect((await client.status()).held.claim_id).toBe(holder.id);
  });

  it('lets a waiter leave, also before its claim arrived', async () => {
    client = lock();
    await client.holding('holder');
    const waiter = await client.waiting('waiter');
    expect((await waiter.release()).body).toEqual({ state: 'left', already: false });
    expect((await waiter.release()).body).toEqual({ state: 'left', already: true });
    expect((await waiter.put()).body).toMatchObject({ error: 'claim_over', state: 'left' });
    const late = client.claim('late');
    expect((await late.release()).body).toEqual({ state: 'left', already: false });
    expectProblem(await late.put(), 410, 'claim_over');
    expect((await client.status()).queue).toEqual([]);
  });
});

describe('break', () => {
  const by = { reason: 'stuck', actor: 'ada' };

  it('asks first when the holder is alive, then ends the hold that was seen', async () => {
    client = lock();
    const holder = await client.holding('holder');
    await holder.renew({ step: 'batch 3' });
    const next = await client.waiting('next');
    const asked = expectProblem(
      await client.post('break', { ...by, fencing_token: holder.token }),
      409,
      'holder_alive',
    );
    expect(asked).toMatchObject({ step: 'batch 3' });
    const broken = await client.post('break', { ...by, fencing_token: holder.token, confirm_alive: true });
    expect(broken.status).toBe(200);
    expect(broken.body).toMatchObject({
      state: 'broken',
      fencing_token: holder.token,
      granted: { claim_id: next.id },
    });
    expect(expectProblem(await holder.renew(), 409, 'lease_lost').reason).toBe('broken');
    expect((await holder.release()).body).toEqual({ state: 'broken', already: true });
    const again = await client.post('break', { ...by, fencing_token: holder.token, confirm_alive: true });
    expect(expectProblem(again, 409, 'token_mismatch').held.holder.name).toBe('next');
    const event = (await client.events()).find((each) => each.kind === 'broken');
    expect(event).toMatchObject({ actor: 'ada', detail: { why: 'stuck', confirm_alive: true } });
  });

  it('refuses when nobody holds', async () => {
    client = lock();
    expectProblem(await client.post('break', { ...by, fencing_token: 1 }), 409, 'token_mismatch');
  });

  it('has one effect when it races with a release and with another break', async () => {
    for (let round = 0; round < 10; round += 1) {
      client = lock();
      const holder = await client.holding('holder');
      await client.waiting('next');
      const breaks = { ...by, fencing_token: holder.token, confirm_alive: true };
      await Promise.all([
        holder.release(),
        holder.renew(),
        client.post('break', breaks),
        client.post('break', breaks),
      ]);
      const kinds = await client.kinds();
      expect(kinds.filter((kind) => kind === 'broken' || kind === 'released')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'granted')).toHaveLength(2);
    }
  });
});

describe('freeze', () => {
  const freeze = { reason: 'database move', actor: 'ada' };

  it('grants nothing, keeps the order, and lets the holder end normally', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const a = await client.waiting('a');
    const b = await client.waiting('b');
    expect((await client.post('freeze', freeze)).body.frozen).toMatchObject(freeze);
    expect((await holder.renew()).status).toBe(200);
    await holder.release();
    const status = lockStatusSchema.parse(await client.status());
    expect(status).toMatchObject({ held: null, frozen: freeze });
    expect(status.queue.map((entry) => entry.claim_id)).toEqual([a.id, b.id]);
    const told = await client.claim('c').put({ wait: 20 });
    expect(claimQueuedSchema.parse(told.body)).toMatchObject({ position: 3, holder: null, frozen: freeze });
    expect((await client.post('unfreeze', freeze)).body).toEqual({ frozen: null });
    expectProblem(await client.post('unfreeze', freeze), 409, 'not_frozen');
    expect((await client.status()).held.claim_id).toBe(a.id);
    expect((await client.kinds()).slice(3)).toEqual(['frozen', 'released', 'queued', 'unfrozen', 'granted']);
  });

  it('is not replaced by accident', async () => {
    client = lock();
    await client.post('freeze', freeze);
    const other = { actor: 'ben', reason: 'another incident' };
    const refused = expectProblem(await client.post('freeze', other), 409, 'already_frozen');
    expect(refused.frozen).toMatchObject(freeze);
    expect((await client.status()).frozen).toMatchObject(freeze);
    expect((await client.post('freeze', { ...other, replace: true })).body.frozen).toMatchObject(other);
  });

  it('tells open long polls at once', async () => {
    client = lock();
    await client.holding('holder');
    const poll = (await client.waiting('a')).put({ wait: 20 });
    await client.post('freeze', freeze);
    expect((await poll).body.frozen).toMatchObject(freeze);
  });

  // A poll that is held until its end outlives the test.
  it('tells a waiter that comes back at once, and keeps its place', async () => {
    client = lock();
    await client.holding('holder');
    const waiter = await client.waiting('a');
    await client.post('freeze', freeze);
    for (let poll = 0; poll < 2; poll += 1) {
      const { status, body } = await waiter.put({ wait: 25 });
      expect([status, body]).toMatchObject([202, { position: 1, frozen: freeze }]);
    }
  });
});

describe('status and audit', () => {
  it('waits for the next version, and no longer', async () => {
    client = lock();
    const holder = await client.holding('holder');
    const { version } = await client.status();
    const watch = client.status(`?after_version=${version}&wait_seconds=20`);
    await holder.release();
    expect((await watch).version).toBe(version + 1);
    expect((await client.status(`?after_version=${version}&wait_seconds=20`)).version).toBe(version + 1);
    expect((await client.status(`?after_version=${version + 50}&wait_seconds=20`)).version).toBe(version + 1);
  });

  it('has one audit row for every transition, in order, readable from any place', async () => {
    client = lock();
    const holder = await client.holding('holder');
    await client.waiting('next');
    await holder.release();
    const all = lockEventsSchema.parse((await client.call('GET', `${client.lock}/events`)).body).events;
    expect(all.map((event) => [event.seq, event.kind])).toEqual([
      [1, 'granted'],
      [2, 'queued'],
      [3, 'released'],
      [4, 'granted'],
    ]);
    const rest = await client.call('GET', `${client.lock}/events?after=2`);
    expect(rest.body.events.map((event: { seq: number }) => event.seq)).toEqual([3, 4]);
  });

  it('shows an empty lock that the server names and nobody has used', async () => {
    const status = lockStatusSchema.parse(await new Client(plane.url, 'staging').status());
    expect(status).toMatchObject({ version: 0, held: null, queue: [], frozen: null, last_fencing_token: 0 });
  });

  it('does not know a group that nobody ever named, and names the nearest', async () => {
    const answer = await new Client(plane.url, 'stagin').call('GET', '/cp/admin/fleet-locks/stagin');
    expect(expectProblem(answer, 404, 'unknown_group').nearest).toBe('staging');
    const far = expectProblem(await lock().call('GET', `${lock().lock}/`), 404, 'unknown_group');
    expect(far).not.toHaveProperty('nearest');
  });

  it('lists all groups and what the server can do', async () => {
    client = lock();
    const holder = await client.holding('holder');
    await client.waiting('a');
    const { body } = await client.call('GET', '/cp/admin/fleet-locks');
    const { groups, features } = lockCollectionSchema.parse(body);
    expect(features).toEqual(expect.arrayContaining(['draining', 'rollouts']));
    expect(groups.find(({ group }) => group === client.group)).toMatchObject({
      held: { claim_id: holder.id, fencing_token: holder.token },
      queue_length: 1,
      frozen: null,
      last_fencing_token: holder.token,
    });
    expect(groups.map(({ group }) => group)).toContain('staging');
  });

  it('treats claim ids without regard to letter case', async () => {
    client = lock();
    const claim = await client.holding('one');
    const id = claim.id.toUpperCase();
    const answer = await client.call('POST', `${client.lock}/claims/${id}/release`, {
      session: claim.session,
    });
    expect(answer.body).toEqual({ state: 'released', already: false });
  });
});
