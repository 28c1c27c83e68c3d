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

/** Milliseconds of each renewal of a holder, one after the other, while `watchers` poll its status. */
export async function renewals({ base }, watchers, seconds) {
  const group = `watched-${randomUUID().slice(0, 8)}`;
  const session = randomUUID();
  const url = `${base}/${group}/claims/${randomUUID()}`;
  const { body } = await call('PUT', url, { ...claimBody(session), ttl_seconds: 600 });
  const lease = { session, fencing_token: body.fencing_token };
  const crowd = watchers > 0 ? await watch(`${base}/${group}/`, watchers) : undefined;
  const taken = [];
  const until = performance.now() + seconds * 1000;
  for (let round = 1; performance.now() < until; round++) {
    // A new step every two seconds: everybody who watches is answered, and asks again.
    if (round % 100 === 0) await call('POST', `${url}/renew`, { ...lease, step: `step ${round}` });
    const started = performance.now();
    await call('POST', `${url}/renew`, lease);
    taken.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await crowd?.stop();
  await call('POST', `${url}/release`, { session });
  return spread(taken);
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
