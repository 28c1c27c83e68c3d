// A whole redeploy (canary, soak, batches) against the critical path of its fleet: for each wave until the control
// plane has answered and the last tenant has flipped, and the soak. All else is time that the tool adds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { CLI, env, grossly, ms, quick, ratio, table } from './measure.mjs';
import { seeded } from './random.mjs';
import { TARGET } from './tenants.mjs';

const OTHER = 'a'.repeat(40);
const COUNT = 31;
const SOAK_MS = quick ? 500 : 3_000;

/** A control plane whose calls last `callMs`; tenants flip somewhere in `spread`, milliseconds after a call began. */
async function fleetOf({ callMs, spread: [earliest, latest] }) {
  const random = seeded(1);
  const flipsAt = new Map();
  const seen = { probes: 0, pathMs: SOAK_MS };
  const json = (response, body) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const roll = (response, slugs) => {
    const now = performance.now();
    const flips = slugs.map(() => earliest + random() * (latest - earliest));
    for (const [index, slug] of slugs.entries()) flipsAt.set(slug, now + flips[index]);
    seen.pathMs += Math.max(callMs, ...flips);
    const row = (slug) => ({
      slug,
      phase: 'batch-1',
      ssm_status: 'Success',
      ssm_exit_code: 0,
      healthz_ok: true,
    });
    setTimeout(() => json(response, { ok: true, results: slugs.map(row) }), callMs);
  };
  const server = createServer(async (request, response) => {
    const slug = /^\/(t\d+)\/buildinfo$/.exec(request.url)?.[1];
    if (slug) {
      seen.probes++;
      return json(response, {
        git_sha: (flipsAt.get(slug) ?? Infinity) <= performance.now() ? TARGET : OTHER,
      });
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const asked = JSON.parse(body || '{}');
    if (!asked.dry_run) return roll(response, asked.only_slugs);
    json(response, {
      ok: true,
      results: Array.from({ length: COUNT }, (_, index) => ({ slug: `t${index}` })),
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, server };
}

async function redeploy(scenario) {
  const { url, seen, server } = await fleetOf(scenario);
  const args = [
    ...['redeploy', '--quiet', '--control-plane', url, '--tenant-url', `${url}/{slug}`, '--target-tag', 'x'],
    ...[
      '--expected-sha',
      TARGET,
      '--no-lock',
      '--canary',
      't0',
      '--soak',
      `${SOAK_MS}ms`,
      '--batch-size',
      '10',
    ],
  ];
  const started = performance.now();
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the redeploy ended with ${code}`);
  const took = performance.now() - started;
  server.close();
  return { took, ...seen };
}

const scenarios = [
  ['at once, the call answers after 1 s', { callMs: 1_000, spread: [0, 0] }],
  ['within 1 s after the answer', { callMs: 1_000, spread: [1_000, 2_000] }],
  ['within 8 s after the answer', { callMs: 1_000, spread: [1_000, 9_000] }],
  ['within 8 s, and the answer with the last', { callMs: 8_000, spread: [0, 8_000] }],
];
const rows = [];
for (const [name, scenario] of quick ? scenarios.slice(0, 1) : scenarios) {
  const { took, pathMs, probes } = await redeploy(scenario);
  rows.push([name, ms(took), ms(pathMs), ratio(took, pathMs), probes]);
  grossly(`time of a redeploy whose tenants flip ${name}, in that of its critical path`, took / pathMs, 1.8);
}
table(
  `Redeploy of ${COUNT} tenants: canary, soak of ${SOAK_MS / 1000} s, three batches`,
  ['tenants flip', 'fleet redeploy', 'critical path', 'fleet / path', 'questions'],
  rows,
);
