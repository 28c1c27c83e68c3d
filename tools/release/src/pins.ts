/** The version that documentation and examples tell people to pin. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from './git.js';

const PIN = /((?:redeploy-fleet|fleet-action|fleet\/\.\.\.)@v|fleet-cli@|fleet-cli": ")\d+\.\d+\.\d+/g;
/** No source: what a test pins is the test's own matter. */
const WHERE = ['README.md', 'docs', 'examples', 'packages/*/README.md'];

/** Names the version in all of them, so that nobody copies the pin of an older release. */
export function raisePins(root: string, version: string): void {
  for (const file of git(root, ['ls-files', '--', ...WHERE])
    .split('\n')
    .filter(Boolean)) {
    const path = join(root, file);
    const text = readFileSync(path, 'utf8');
    const raised = text.replace(PIN, (_pin, before: string) => before + version);
    if (raised !== text) writeFileSync(path, raised);
  }
}
