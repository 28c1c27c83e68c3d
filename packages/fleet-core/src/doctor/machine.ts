/** What the machine brings along: tools, proxy, certificates. Pure but for reading the file of a CA. */
import type { Files } from '../config/secrets.js';
import { isLoopback } from '../io/address.js';
import { proxyFor } from '../io/proxy.js';
import type { DoctorCheck } from '../result/doctor.js';
import { nameList } from '../text/words.js';
import { ok, problem, skipped, warning } from './check.js';

export interface Machine {
  /** Version of Node without its `v`. */
  node: string;
  /** Version of git; null: there is none. */
  git: string | null;
  /** This version of fleet, and the newest one; null: nobody could tell. Absent: nobody asked. */
  fleet?: { own: string; newest: string | null };
}

type Env = Readonly<Record<string, string | undefined>>;

/** @param urls Addresses that a roll would ask. */
export async function checkMachine(
  { node, git, fleet }: Machine,
  env: Env,
  urls: readonly string[],
  files: Files,
): Promise<DoctorCheck[]> {
  return [
    ...(fleet ? [versionOf(fleet)] : []),
    ok('node', `Node ${node}`),
    git === null
      ? warning(
          'git',
          'there is no git: short commits and branch names are not resolved',
          'install git, or give whole commits',
        )
      : ok('git', `git ${git}`),
    proxyOf(env, urls),
    await certificatesOf(env, files),
  ];
}

function versionOf({ own, newest }: NonNullable<Machine['fleet']>): DoctorCheck {
  if (newest === null) return skipped('version', `fleet ${own}; npm could not tell the newest one`);
  if (!isNewer(newest, own)) return ok('version', `fleet ${own}, the newest`);
  const next = `npm install --global @tenant-fleet/fleet-cli@${newest}; in CI move the pin`;
  return warning('version', `fleet ${own}, and ${newest} is there`, next);
}

function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((version) => version.split(/[.-]/).map(Number));
  const at = [0, 1, 2].find((index) => a?.[index] !== b?.[index]);
  return at !== undefined && (a?.[at] ?? 0) > (b?.[at] ?? 0);
}

function proxyOf(env: Env, urls: readonly string[]): DoctorCheck {
  const used = urls.map((url) => [new URL(url).host, proxyFor(new URL(url), env)] as const);
  const bad = used.find(([, proxy]) => proxy && !URL.canParse(proxy));
  if (bad) {
    const next = 'give it as http://HOST:PORT in HTTPS_PROXY';
    return problem('proxy', `the proxy for ${bad[0]} is no address`, next);
  }
  const through = used.flatMap(([host, proxy]) => (proxy ? [`${host} through ${new URL(proxy).host}`] : []));
  return through.length
    ? ok('proxy', nameList([...new Set(through)]))
    : ok('proxy', 'none for these addresses');
}

async function certificatesOf(env: Env, files: Files): Promise<DoctorCheck> {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const next = 'unset NODE_TLS_REJECT_UNAUTHORIZED, and name the private CA in NODE_EXTRA_CA_CERTS';
    return problem('certificates', 'no certificate is checked: anybody on the way can read the tokens', next);
  }
  const path = env.NODE_EXTRA_CA_CERTS;
  if (!path) return skipped('certificates', 'no private CA is named (NODE_EXTRA_CA_CERTS)');
  const text = await files.readFile(path).catch(() => null);
  const count = text?.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----/g)?.length ?? 0;
  if (count) return ok('certificates', `${count} more trusted by ${path}`);
  const why = text === null ? 'cannot be read' : 'holds no certificate in PEM';
  // Node itself says so once, in a line that is easily missed, and goes on without it.
  return problem(
    'certificates',
    `NODE_EXTRA_CA_CERTS: ${path} ${why}, so it is not trusted`,
    'name a file in PEM',
  );
}

/** Whether a request to it could be read on the way. */
export const isPlain = (url: string): boolean => {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname);
};
