// A fleet of loopback tenants, and the control plane that lists it, in a process of its own.
// usage: node tenants.mjs '{"count": N, "stuck": K, "silent": B, "delay": MS, "tls": {"key": FILE, "cert": FILE}}'
// Tenants are t0, t1, ...; the first K stay on another commit, the next B take a question and never answer. Prints its
// ports: of the control plane, and of the tenants.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export const TARGET = 'b'.repeat(40);
const OTHER = 'a'.repeat(40);

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { count, stuck = 0, silent = 0, delay = 0, tls } = JSON.parse(process.argv[2]);
  const [target, other, none] = [{ git_sha: TARGET }, { git_sha: OTHER }, {}].map((one) =>
    JSON.stringify(one),
  );

  const tenant = (request, response) => {
    const named = tls ? /^t(\d+)\./.exec(request.headers.host) : /^\/t(\d+)\/buildinfo$/.exec(request.url);
    const index = Number(named?.[1] ?? Number.NaN);
    if (index >= stuck && index < stuck + silent) return;
    const known = index >= 0 && index < count;
    const answer = () => {
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(known ? (index < stuck ? other : target) : none);
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
  const plain = (request, response) => {
    if (request.method === 'GET') return tenant(request, response);
    request.resume().on('end', () => list(response));
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
