import { verifyFleet } from '../../src/index.js';

/** Tenants that do not run the commit, with why; nothing is changed. */
export async function behind(commit: string, controlPlane: string, token: string, tenantUrl: string) {
  const { tenants } = await verifyFleet({
    controlPlane,
    controlPlaneToken: token,
    tenantUrl,
    expectedSha: commit,
    settleBudgetMs: 0,
  });
  return tenants
    .filter(({ status }) => status !== 'on_target')
    .map(({ slug, status, detail }) => `${slug}: ${detail ?? status}`);
}
