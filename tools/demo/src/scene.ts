/** What the demo plays: twelve tenants on an old image, a new image, and how the roll is to go. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SLUGS = 'acme birch cobalt dunes ember fjord granite harbor indigo juniper kestrel lumen'.split(' ');
/** In the last batch, so that everything before them is seen to go well. */
const STUCK = ['juniper', 'lumen'];

export const SHA = '4f2c1a9be07d4c6f8a35e2d1b09c7f6e5d4a3b2c';
export const TAG = `staging-${SHA.slice(0, 7)}`;
/** The deploy that is shown, as it is typed. */
export const DEPLOY = `redeploy --environment staging --target-tag ${TAG} --expected-sha ${SHA}`;
const OLD = { image_tag: 'staging-b81d0e7', git_sha: 'b81d0e7c52f94a1680dd3e7f41a2c95b6e08d7f3' };

/** Writes the file that describes the simulated fleet; JSON is YAML as well. */
export function writeFleet(folder: string, broken: boolean): string {
  const tenants = SLUGS.map((slug, index) => ({
    slug,
    roll_ms: 300 + ((index * 137) % 400),
    // A tenant's old container answers a little longer; the one that drains longest shows what the wait is for.
    drain_ms: 200 + ((index * 311) % 900),
    ...(broken && STUCK.includes(slug) ? { behaviour: 'stuck' } : {}),
  }));
  const file = join(folder, 'fleet.json');
  writeFileSync(file, JSON.stringify({ initial: OLD, images: { [TAG]: SHA }, tenants }));
  return file;
}

/** Writes the configuration that the command reads. */
export function writeConfig(folder: string, controlPlane: string, tenantUrl: string): void {
  const lines = [
    'environments:',
    '  staging:',
    `    control-plane: ${controlPlane}`,
    `    tenant-url: ${tenantUrl}`,
    '    canary: acme',
    '    soak: 1s',
    '    batch-size: 4',
    '    settle-budget: 3s',
    '    lock-ttl: 6s',
    '    timeout: 2m',
  ];
  writeFileSync(join(folder, 'fleet.config.yaml'), `${lines.join('\n')}\n`);
}

/** Writes the configuration that the servers roll by. @returns Its path. */
export function writeServerConfig(folder: string, tenantUrl: string): string {
  const staging = {
    ...{ 'control-plane': 'self', 'tenant-url': tenantUrl },
    ...{ canary: 'acme', soak: '1s', 'batch-size': 4, 'settle-budget': '3s', 'lock-ttl': '15s' },
  };
  const file = join(folder, 'server.config.json');
  writeFileSync(file, JSON.stringify({ environments: { staging } }));
  return file;
}
