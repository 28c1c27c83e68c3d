/** The gate "image": the tag must be pullable, and built from the expected commit, before anything is rolled. */

import { type Lookup, REVISION_LABEL, Registry } from '../clients/registry/registry.js';
import type { ImageSource } from '../config/image.js';
import { FleetError } from '../errors.js';
import { sleep } from '../io/sleep.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { type Gate, type Gates, refused } from './gate.js';

const POLL_MS = 10_000;

/** The gate, where an image is configured. */
export function imageGate(io: Gates): Gate[] {
  const { image } = io.config;
  return image ? [['image', () => awaitImage(io, image)]] : [];
}

/** Waits until the target tag holds the expected commit. What waiting cannot mend ends it at once. */
async function awaitImage({ config, ports, emit, signal }: Gates, image: ImageSource): Promise<string> {
  const { expectedSha, targetTag, dryRun } = config;
  const reference = `${image.name}:${targetTag}`;
  const registry = new Registry({
    url: image.registry,
    repository: image.repository,
    credentials: image.credentials,
    http: ports.http,
    signal,
  });
  const started = ports.clock.monotonic();
  let found: Missing = { what: 'the registry was not reached', next: 'look at the registry' };
  let shown = '';
  try {
    for (;;) {
      const lookup = await registry.resolve(targetTag);
      if (lookup.kind === 'found') {
        const { digest, revision } = lookup.image;
        const short = `${targetTag} is ${digest.slice(0, 19)}`;
        if (!revision && expectedSha) throw unlabelled(reference, digest);
        if (!expectedSha)
          return `${short}, built from ${revision ? oneLine(revision, 60) : 'an unknown commit'}; no --expected-sha to compare with`;
        if (revision?.toLowerCase() === expectedSha) return `${short}, built from ${expectedSha.slice(0, 7)}`;
      }
      if (lookup.kind === 'unauthorized')
        throw refused(`the image ${reference} cannot be read: ${lookup.why}`, signInHint(image));
      found = missing(lookup, expectedSha);
      const waited = ports.clock.monotonic() - started;
      const left = image.waitMs - waited;
      if (dryRun || left <= 0) {
        const since = dryRun ? 'now' : `after ${formatDuration(waited)}`;
        throw refused(`the image ${reference} is not ready ${since}: ${found.what}`, found.next);
      }
      if (found.what !== shown) {
        shown = found.what;
        emit({
          code: 'gate.waiting',
          gate: 'image',
          pending: [`${reference} (${found.what})`],
          waited_ms: waited,
        });
      }
      await sleep(ports.clock, Math.min(POLL_MS, left), signal);
    }
  } catch (error) {
    if (!(error instanceof FleetError) || error.code !== 'TIMEOUT') throw error;
    throw refused(
      `the time ran out waiting for the image ${reference}: ${found.what}`,
      `raise --timeout, or ${found.next}`,
    );
  }
}

/** What the registry has instead of the image, and what to do about it. */
interface Missing {
  what: string;
  next: string;
}

function missing(lookup: Exclude<Lookup, { kind: 'unauthorized' }>, expectedSha: string | null): Missing {
  switch (lookup.kind) {
    case 'absent':
      return {
        what: 'there is no such tag',
        next: 'check that the build has pushed it, and --image and --target-tag; or raise --image-wait',
      };
    case 'found':
      return {
        what: `it is built from ${oneLine(lookup.image.revision ?? '', 60)}, not from ${expectedSha}`,
        next: 'check which build pushed this tag last, and --expected-sha; or raise --image-wait',
      };
    case 'unreadable':
      return {
        what: `it cannot be read: ${lookup.why}`,
        next: 'check that --image names the registry, and try again once it answers',
      };
  }
}

const unlabelled = (reference: string, digest: string) =>
  refused(
    `the image ${reference} (${digest.slice(0, 19)}) has no label ${REVISION_LABEL}: it cannot be proven to hold the commit`,
    `build it with --label ${REVISION_LABEL}=<the full commit id>`,
  );

const signInHint = ({ credentials }: ImageSource) =>
  credentials
    ? 'check FLEET_REGISTRY_USER and FLEET_REGISTRY_PASSWORD, their right to pull, and the name in --image'
    : 'set FLEET_REGISTRY_USER and FLEET_REGISTRY_PASSWORD; check the name in --image: one that does not exist can look the same';
