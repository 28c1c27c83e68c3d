/** The workflows of this repository, and what the example must look like beside them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const WORKFLOWS = ['publish-workspace-server-image.yml', 'redeploy-tenants-on-staging.yml'] as const;
export const COMPOSITE = '.gitea/actions/redeploy-fleet';
export const REPOSITORY = 'https://git.example.com/tenant-fleet/fleet';

export const pathOf = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
export const read = (file: string) => readFileSync(pathOf(file), 'utf8');
export const exampleOf = (workflow: string) => `examples/workspace-server/.gitea/workflows/${workflow}`;

/**
 * The release that the documentation tells people to pin.
 *
 * Before the first release the packages are at 0.0.0, and what is to be pinned is that first one.
 */
export function pinnedVersion(): string {
  const { version } = JSON.parse(read('packages/fleet-action/package.json')) as { version: string };
  return version === '0.0.0' ? '0.1.0' : version;
}

/** A workflow of this repository as a repository of its own would have it. */
export function asConsumer(workflow: string): string {
  const swaps: [RegExp, string][] = [
    [/ *# Only here[^\n]*\n[^\n]*\n/g, ''],
    [/examples\/workspace-server\/image\.sh/, './image.sh'],
    [/ *config: examples[^\n]*\n/, ''],
    [/\.\/\.gitea\/actions/, `${REPOSITORY}/.gitea/actions`],
    [/(actions\/redeploy-fleet)$/m, `$1@v${pinnedVersion()}`],
  ];
  return swaps.reduce(
    (text, [pattern, by]) => text.replace(pattern, by),
    read(`.gitea/workflows/${workflow}`),
  );
}
