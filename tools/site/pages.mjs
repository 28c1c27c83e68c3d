/** Every page of the site: where its text stands in the repository, and where it stands on the site. */
import { readdirSync } from 'node:fs';
import { API } from './api.mjs';

const outcomes = readdirSync(new URL('../../docs/outcomes', import.meta.url))
  .filter((name) => name !== 'README.md')
  .sort()
  .map((name) => [`docs/outcomes/${name}`, `outcomes/${name.replace('.md', '')}/`]);

/** Every public name of the library, a page for each of its entrances. */
const entrances = readdirSync(new URL('../../packages/fleet-core/api', import.meta.url))
  .sort()
  .map((name) => [`packages/fleet-core/api/${name}`, `library/api/${name.replace('.api.md', '')}/`]);

/** Headings of the navigation, and below each its pages: source, address, words. */
export const SECTIONS = [
  [
    'Start',
    [
      ['README.md', '', 'Overview'],
      ['docs/getting-started.md', 'getting-started/', 'Getting started'],
      ['docs/concepts.md', 'concepts/', 'Concepts'],
      ['docs/migrating.md', 'migrating/', 'Migrating from scripts'],
      ['docs/outcomes/README.md', 'outcomes/', 'How a run ends'],
    ],
  ],
  [
    'Use',
    [
      ['packages/fleet-cli/README.md', 'cli/', 'The command'],
      ['docs/commands.md', 'commands/', 'All commands'],
      ['docs/settings.md', 'settings/', 'All settings'],
      ['packages/fleet-action/README.md', 'action/', 'The action'],
      ['packages/fleet-core/README.md', 'library/', 'The library'],
      ['docs/schemas.md', 'schemas/', 'Documents for programs'],
      ['docs/telemetry.md', 'telemetry/', 'Telemetry'],
      ['docs/lint.md', 'lint/', 'Rules of fleet lint'],
      ['docs/pinning.md', 'pinning/', 'Pinning'],
      ['docs/platforms.md', 'platforms/', 'Platforms'],
    ],
  ],
  [
    'Serve',
    [
      ['packages/fleet-control-plane/README.md', 'control-plane/', 'The control plane'],
      ['docs/server.md', 'server/', 'Running the server'],
      ['docs/server-rollouts.md', 'server-rollouts/', 'Rollouts on the server'],
      ['docs/lock.md', 'lock/', 'The lock'],
      [API, 'api/', 'All calls'],
      ['packages/fleet-conformance/README.md', 'conformance/', 'Conformance'],
    ],
  ],
  [
    'Behind it',
    [
      ['docs/incidents.md', 'incidents/', 'What goes wrong'],
      ['docs/performance.md', 'performance/', 'Performance'],
      ['docs/scale.md', 'scale/', 'Scale'],
      ['docs/architecture.md', 'architecture/', 'Architecture'],
      ['docs/dependencies.md', 'dependencies/', 'Dependencies'],
      ['docs/release.md', 'release/', 'Releases'],
      ['CONTRIBUTING.md', 'contributing/', 'Contributing'],
      ['SECURITY.md', 'security/', 'Security'],
    ],
  ],
];

export const PAGES = [...SECTIONS.flatMap(([, pages]) => pages), ...outcomes, ...entrances];
