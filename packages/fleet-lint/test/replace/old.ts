/** The workflows of examples/before-fleet: deploys by hand, with curl, jq and a loop over the tenants. */
import { readFileSync } from 'node:fs';

const read = (name: string) =>
  readFileSync(
    new URL(`../../../../examples/before-fleet/.gitea/workflows/${name}.yml`, import.meta.url),
    'utf8',
  );

/** A deploy job in the workflow that publishes the image. */
export const OLD_PUBLISH = read('publish-workspace-server-image');

/** The second way, for the staging branch, which drifted. */
export const OLD_STAGING = read('redeploy-tenants-on-staging');
