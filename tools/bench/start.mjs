// From the start of the process: to the version, and to the first request that a redeploy sends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { CLI, env, grossly, inTurns, median, ms, quick, ratio, table, timeOf } from './measure.mjs';

const rounds = quick ? 5 : 21;
const taken = inTurns(
  {
    version: () => timeOf(process.execPath, [CLI, '--version']),
    node: () => timeOf(process.execPath, ['-e', '0']),
  },
  rounds,
);

/** Milliseconds until a program has sent its first request, which nobody answers. */
async function firstRequest(argsFor) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const started = performance.now();
  const child = spawn(process.execPath, argsFor(url), { env, stdio: 'ignore' });
  await once(server, 'request');
  const took = performance.now() - started;
  child.kill('SIGKILL');
  server.closeAllConnections();
  server.close();
  return took;
}
const redeploy = (url) => {
  const fleet = ['--control-plane', url, '--tenant-url', `${url}/{slug}`, '--expected-sha', 'b'.repeat(40)];
  return [CLI, 'redeploy', ...fleet, '--target-tag', 'x', '--no-lock'];
};
/** The least that a program of Node's own needs: no start can be quicker. */
const floor = (url) => ['-e', `require('node:https'); require('node:http').get('${url}')`];
const requests = { redeploy: [], floor: [] };
for (let round = 0; round < rounds; round++) {
  requests.redeploy.push(await firstRequest(redeploy));
  requests.floor.push(await firstRequest(floor));
}

const [version, node, first, least] = [taken.version, taken.node, requests.redeploy, requests.floor].map(
  median,
);
table(
  'Start-up: median',
  [
    'bare node -e 0',
    'fleet --version',
    'first request of bare Node',
    'of a redeploy',
    'version / node',
    'first request: bare / node',
    'redeploy / node',
  ],
  [[...[node, version, least, first].map(ms), ratio(version, node), ratio(least, node), ratio(first, node)]],
);
grossly('time to the version, in those of node -e 0', version / node, 2.5);
