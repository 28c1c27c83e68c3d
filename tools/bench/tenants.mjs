// A fleet of loopback tenants, and the control plane that lists it, in a process of its own.
// usage: node tenants.mjs '{"count": N, "stuck": K, "silent": B, "delay": MS, "flips": MS, "tls": {"key": FILE, "cert": FILE}}'
// Tenants are t0, t1, ...; the first K stay on another commit, the next B take a question and never answer. With "flips"
// all are on another commit until they are rolled, and flip at any moment of so many milliseconds after that; GET /seen
// of the control plane says what that takes and took. Prints its ports: of the control plane, and of the tenants.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { seeded } from './random.mjs';

export const TARGET = 'b'.repeat(40);
const OTHER = 'a'.repeat(40);

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { count, stuck = 0, silent = 0, delay = 0, flips, tls } = JSON.parse(process.argv[2]);
  const [target, other, none] = [{ git_sha: TARGET }, { git_sha: OTHER }, {}].map((one) =>
    JSON.stringify(one),
  );

  const random = seeded(1);
  const flipsAt = new Map();
  /** `pathMs`: from each roll to its last flip. */
  const seen = { pathMs: 0, questions: 0 };
  const isOld = (index) => index < stuck || (flips && !(flipsAt.get(index) <= performance.now()));

  const tenant = (request, response) => {
    seen.questions++;
    const named = tls ? /^t(\d+)\./.exec(request.headers.host) : /^\/t(\d+)\/buildinfo$/.exec(request.url);
    const index = Number(named?.[1] ?? Number.NaN);
    if (index >= stuck && index < stuck + silent) return;
    const known = index >= 0 && index < count;
    const answer = () => {
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(known ? (isOld(index) ? other : target) : none);
    };
    if (delay) setTimeout(answer, delay);
    else answer();
  };
  const list = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"ok":true,"results":[');
    for (let index = 0; index < count; index++)
      response.write(`${index ? ',' : ''}{"slug":"t${index}","phase":"batch-1","ssm_status":"DryRun"}`);
    response.end(']}');
  };
  const roll = (response, slugs) => {
    const waits = slugs.map(() => random() * flips);
    for (const [index, slug] of slugs.entries())
      flipsAt.set(Number(slug.slice(1)), performance.now() + waits[index]);
    seen.pathMs += waits.reduce((one, other) => Math.max(one, other));
    const row = { phase: 'batch-1', ssm_status: 'Success', ssm_exit_code: 0, healthz_ok: true };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ok: true, results: slugs.map((slug) => ({ slug, ...row })) }));
  };
  const plain = async (request, response) => {
    if (request.url === '/seen') {
      const { user, system } = process.cpuUsage();
      return response.end(JSON.stringify({ ...seen, cpuMs: (user + system) / 1000 }));
    }
    if (request.method === 'GET') return tenant(request, response);
    let body = '';
    for await (const chunk of request) body += chunk;
    const { dry_run: isPlan, only_slugs: slugs } = JSON.parse(body);
    if (isPlan || !flips) list(response);
    else roll(response, slugs);
  };
  const listen = (server) =>
    new Promise((resolve) => {
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(server.address().port));
    });
  const port = await listen(createServer(plain));
  const options = tls && { key: readFileSync(tls.key), cert: readFileSync(tls.cert) };
  console.log(port, tls ? await listen(createTlsServer(options, tenant)) : port);
  // Ends with whoever started it, however that ends.
  process.stdin.resume().on('end', () => process.exit(0));
}
