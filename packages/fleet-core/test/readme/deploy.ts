import { redeployFleet } from '../../src/index.js';

/** Rolls the staging fleet, and fails unless every tenant answered with the commit. */
export async function deploy(commit: string, controlPlane: string, token: string, tenantUrl: string) {
  const result = await redeployFleet(
    {
      environment: 'staging',
      controlPlane,
      controlPlaneToken: token,
      tenantUrl,
      targetTag: `staging-${commit.slice(0, 7)}`,
      expectedSha: commit,
      canary: 'acme',
      soakMs: 60_000,
    },
    { ports: { emit: (event) => console.error(event.code) } },
  );
  if (!result.deployed) throw new Error(`${result.outcome}: ${result.reason}`);
  return result;
}
