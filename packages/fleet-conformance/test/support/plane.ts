import type { ControlPlane } from '@tenant-fleet/fleet-control-plane';

export const TOKEN = 'token-of-the-conformance';
const OLD = { image_tag: 'staging-1111111', git_sha: '1'.repeat(40) };
export const TARGET = { targetTag: 'staging-2222222', expectedSha: '2'.repeat(40) };

export const scratchFleet = {
  initial: OLD,
  images: { [TARGET.targetTag]: TARGET.expectedSha },
  // Long enough for somebody to come in between.
  defaults: { roll_ms: 2500 },
  tenants: ['acme', 'birch', 'cobalt'],
};

/** Every tenant runs the old image again. */
export async function resetFleet(plane: ControlPlane): Promise<void> {
  for (const slug of scratchFleet.tenants) {
    await fetch(`${plane.url}/sim/tenants/${slug}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...scratchFleet.defaults, running: OLD }),
    });
  }
}
