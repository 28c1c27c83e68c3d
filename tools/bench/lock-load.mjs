// Puts load on a lock over HTTP, and takes its times.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { here } from './measure.mjs';

const TOKEN = 'bench-token-of-no-worth';
const dispatcher = new Agent({ connections: 256, pipelining: 1 });
export const closeConnections = () => dispatcher.destroy();

/** Starts a server in a process of its own; its first line says where it listens. */
async function serve(args, env) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return {
    url: JSON.parse(line).url,
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

export async function controlPlane(databaseUrl) {
  const program = here('../../packages/fleet-control-plane/dist/main.js');
  const { url, stop } = await serve(
    [program, '--json', '--stdin', '--tenants', '1', '--queue-limit', '500', '--request-limit', '0'],
    { FLEET_CP_TOKEN: TOKEN, DATABASE_URL: databaseUrl },
  );
  return { base: `${url}/cp/admin/fleet-locks`, stop };
}

export async function bareLock(databaseUrl) {
  const { url, stop } = await serve([here('bare-lock.mjs'), databaseUrl], {});
  return { base: url, stop };
}

export async function call(method, url, body) {
  const answer = await request(url, {
    method,
    dispatcher,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.statusCode, body: await answer.body.json() };
}

export const claimBody = (session) => ({ session, ttl_seconds: 30, holder: { name: 'bench' } });

/** Milliseconds of a claim and its release without rivals. */
export async function uncontended({ base }, group) {
  const url = `${base}/${group}/claims/${randomUUID()}`;
  const session = randomUUID();
  const started = performance.now();
  await call('PUT', url, claimBody(session));
  await call('POST', `${url}/release`, { session });
  return performance.now() - started;
}

/** Milliseconds from each release being sent to the next holder's answer, while `waiters` queue up again and again. */
async function handOvers(servers, waiters, rounds) {
  const group = `bench-${randomUUID().slice(0, 8)}`;
  const gaps = [];
  let releasedAt = 0;
  let over = false;
  const worker = async (index) => {
    const { base } = servers[index % servers.length];
    while (!over) {
      const session = randomUUID();
      const url = `${base}/${group}/claims/${randomUUID()}`;
      let answer;
      do answer = await call('PUT', `${url}?wait_seconds=20`, claimBody(session));
      while (answer.status === 202 && !over);
      if (answer.status !== 200) {
        await call('POST', `${url}/release`, { session });
        continue;
      }
      if (releasedAt) gaps.push(performance.now() - releasedAt);
      over = gaps.length >= rounds;
      releasedAt = performance.now();
      await call('POST', `${url}/release`, { session, fencing_token: answer.body.fencing_token });
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: waiters }, (_, index) => worker(index)));
  return { gaps: gaps.slice(waiters), ms: performance.now() - started, count: gaps.length };
}

/** The hand-overs of several candidates, a slice of each in turns, so that drift of the machine hits all alike. */
export async function handOversInTurns(candidates, waiters, rounds, slices) {
  const taken = candidates.map(() => []);
  // One slice more than counts: what is measured are servers that have been up for a while.
  for (let slice = 0; slice <= slices; slice++) {
    for (const [index, servers] of candidates.entries()) {
      const one = await handOvers(servers, waiters, waiters + rounds / slices);
      if (slice > 0) taken[index].push(one);
    }
  }
  const sum = (list, key) => list.reduce((total, one) => total + one[key], 0);
  return taken.map((list) => ({
    ...spread(list.flatMap((one) => one.gaps)),
    perSecond: (sum(list, 'count') / sum(list, 'ms')) * 1000,
  }));
}

/**
 * Milliseconds of each renewal of a holder, one after the other: while nobody looks, while `watchers` polls wait for its
 * status, and while they wait at each other server, which tells what the machine alone costs. A slice of each in turns,
 * so that drift of the machine hits all alike.
 */
export async function renewals(servers, watchers, { slices, seconds }) {
  const crowds = [];
  for (const { base } of servers) {
    const lease = await hold(base);
    crowds.push({ ...lease, ...(await watch(`${base}/${lease.group}/`, watchers)) });
  }
  const [{ renew }] = crowds;
  const candidates = [null, ...crowds];
  const taken = candidates.map(() => []);
  // One slice more than counts: what is measured are servers that have been up for a while.
  for (let slice = 0; slice <= slices; slice++) {
    for (const [index, crowd] of candidates.entries()) {
      const until = performance.now() + seconds * 1000;
      let stepAt = 0;
      while (performance.now() < until) {
        // A new step every two seconds: everybody who watches is answered, and asks again.
        if (crowd && performance.now() >= stepAt) {
          stepAt = performance.now() + 2000;
          await crowd.renew(`step at ${stepAt}`);
        }
        const started = performance.now();
        await renew();
        if (slice > 0) taken[index].push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
  for (const { stop, release } of crowds) {
    await stop();
    await release();
  }
  return taken.map(spread);
}

/** A lease of a group of its own. */
async function hold(base) {
  const group = `watched-${randomUUID().slice(0, 8)}`;
  const session = randomUUID();
  const url = `${base}/${group}/claims/${randomUUID()}`;
  const { body } = await call('PUT', url, { ...claimBody(session), ttl_seconds: 600 });
  return {
    group,
    renew: (step) => call('POST', `${url}/renew`, { session, fencing_token: body.fencing_token, step }),
    release: () => call('POST', `${url}/release`, { session }),
  };
}

/** A client in a process of its own that polls a status many times at once. */
async function watch(url, watchers) {
  const child = spawn(process.execPath, [here('watchers.mjs'), url, TOKEN, String(watchers)], {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(createInterface(child.stdout), 'line');
  return {
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

export function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length / 2)], p99: sorted[Math.floor(sorted.length * 0.99)] };
}
