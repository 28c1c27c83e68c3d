/** Every case sees the fault that it is there for. */
import { type ControlPlane, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformanceCases, runConformance } from '../src/index.js';
import { startBroken } from './support/breaking.js';
import { MUTANTS, type Mutant } from './support/mutants.js';
import { resetFleet, scratchFleet, TOKEN } from './support/plane.js';

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ token: TOKEN, requestsMax: 0, fleet: scratchFleet });
});
afterAll(() => plane?.close());

async function caseOf(mutant: Mutant, make: Mutant['make']) {
  const broken = await startBroken(plane.url, make);
  if (mutant.full) await resetFleet(plane);
  try {
    const { cases } = await runConformance({
      url: broken.url,
      token: TOKEN,
      only: [mutant.caughtBy],
      ...(mutant.full && {
        fleet: {
          lockGroup: 'staging',
          tenantUrl: plane.tenantUrlTemplate,
          targetTag: 'staging-2222222',
          expectedSha: '2'.repeat(40),
        },
      }),
    });
    return cases[0];
  } finally {
    await broken.close();
  }
}

describe.concurrent('in safe mode', () => {
  it.each(MUTANTS.filter(({ full }) => !full))('$caughtBy sees: $name', async (mutant) => {
    expect(await caseOf(mutant, mutant.make)).toMatchObject({
      status: 'missed',
      detail: expect.any(String),
      loses: expect.any(String),
    });
  });
});

describe('in full mode', () => {
  it.each(MUTANTS.filter(({ full }) => full))('$caughtBy sees: $name', async (mutant) => {
    expect(await caseOf(mutant, mutant.make)).toMatchObject({ status: 'missed' });
    // The fault is what it sees, and not the proxy.
    const sound = await caseOf(mutant, () => (_request, forward) => forward());
    expect(sound).toMatchObject({ status: 'passed', detail: null });
  });
});

it('has a fault for every case but those of rollouts on the server', () => {
  const covered = new Set(MUTANTS.map(({ caughtBy }) => caughtBy));
  const bare = conformanceCases.map(({ id }) => id).filter((id) => !covered.has(id));
  expect(bare.filter((id) => !id.startsWith('7.'))).toEqual([]);
});
