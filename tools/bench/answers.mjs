// A verification of N tenants on target: ours, the shell loop that it replaces, a bare loop that asks the same.
// usage: node answers.mjs [--quick] [shell] [http] [https]
import {
  certificate,
  grossly,
  here,
  inTurns,
  medianOf,
  ms,
  quick,
  ratio,
  table,
  tenants,
  timeOf,
  usageOf,
  verify,
} from './measure.mjs';
import { TARGET } from './tenants.mjs';

const bare = (client, fleet, count) => [
  here('./bare-loop.mjs'),
  client,
  fleet.template,
  TARGET,
  String(count),
];
const shell = (fleet, count) => [
  here('./shell-loop.sh'),
  ...[fleet.template.replace('/{slug}', ''), TARGET, '240', '20'],
  ...Array.from({ length: count }, (_, index) => `t${index}`),
];

const DELAY_MS = 50;

async function againstShell() {
  const rows = [];
  for (const count of quick ? [30] : [100, 1_000]) {
    const fleet = await tenants({ count, delay: DELAY_MS });
    const candidates = {
      fleet: () => ({ ms: timeOf(process.execPath, verify(fleet, TARGET)) }),
      shell: () => ({ ms: timeOf('bash', shell(fleet, count)) }),
    };
    const taken = inTurns(candidates, count < 1_000 ? 3 : 1);
    const [ours, loop] = [medianOf(taken.fleet, 'ms'), medianOf(taken.shell, 'ms')];
    rows.push([count.toLocaleString('en'), ms(ours), ms(loop), ratio(loop, ours)]);
    grossly(`time of a verification of ${count} tenants, in those of the shell loop`, ours / loop, 1);
    await fleet.stop();
  }
  table(
    `N tenants on target over HTTP, each answering after ${DELAY_MS} ms: whole process`,
    ['N', 'fleet verify', 'shell loop', 'shell / fleet'],
    rows,
  );
}

/** @returns Rows of a table, and the processor time and memory that each tenant of a row costs. */
async function againstBare(client, counts, tls) {
  const rows = [];
  const base = { cpuMs: 0, mib: 0 };
  for (const count of [1, ...counts]) {
    const fleet = await tenants({ count, tls });
    const more = tls ? { NODE_EXTRA_CA_CERTS: tls.cert } : {};
    const candidates = {
      fleet: () => usageOf(verify(fleet, TARGET), { more }),
      bare: () => usageOf(bare(client, fleet, count), { more }),
    };
    const rounds = quick ? 1 : count > 10_000 ? 1 : count > 1_000 ? 2 : 5;
    const { fleet: ours, bare: floor } = inTurns(candidates, rounds);
    await fleet.stop();
    const [wall, cpu, mib] = ['ms', 'cpuMs', 'mib'].map((field) => medianOf(ours, field));
    if (count === 1) {
      Object.assign(base, { cpuMs: cpu, mib });
      continue;
    }
    const [bareWall, bareCpu, bareMib] = ['ms', 'cpuMs', 'mib'].map((field) => medianOf(floor, field));
    rows.push([
      count.toLocaleString('en'),
      ...[ms(wall), ms(bareWall), ratio(bareWall, wall)],
      ...[ms(cpu), ms(bareCpu), ratio(bareCpu, cpu)],
      `${((1000 * (cpu - base.cpuMs)) / count).toFixed(0)} us`,
      `${((1024 * (mib - base.mib)) / count).toFixed(1)} KiB`,
      ...[mib, bareMib].map((one) => `${one.toFixed(0)} MiB`),
    ]);
    grossly(
      `time of a verification of ${count} tenants over ${tls ? 'HTTPS' : 'HTTP'}, in those of a bare loop`,
      wall / bareWall,
      4,
    );
  }
  return rows;
}

const HEAD = [
  ...['N', 'fleet verify', 'bare loop', 'bare / fleet', 'processor', 'of the bare loop', 'bare / fleet'],
  ...['processor a tenant', 'memory a tenant', 'peak', 'of the bare loop'],
];
async function overHttp() {
  table(
    'N tenants on target over HTTP, against a bare undici loop; each question on a connection of its own',
    HEAD,
    await againstBare('undici', quick ? [300] : [100, 1_000, 10_000, 100_000]),
  );
}

async function overHttps() {
  const { tls, remove } = certificate();
  table(
    'N tenants on target over HTTPS, a host and a handshake each, against a bare loop of node:https',
    HEAD,
    await againstBare('https', quick ? [100] : [100, 1_000, 10_000], tls),
  );
  remove();
}

const parts = { shell: againstShell, http: overHttp, https: overHttps };
const only = process.argv.filter((word) => word in parts);
for (const name of only.length ? only : Object.keys(parts)) await parts[name]();
