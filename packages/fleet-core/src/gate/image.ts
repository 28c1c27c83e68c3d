/** The gate "image": the tag must be pullable, and built from the expected commit, before anything is rolled. */

import { type Image, type Lookup, REVISION_LABEL, Registry } from '../clients/registry/registry.js';
import type { ImageSource } from '../config/image.js';
import { FleetError } from '../errors.js';
import { sleep } from '../io/sleep.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { parseTarget } from '../text/target.js';
import { type Gate, type Gates, refused } from './gate.js';

const POLL_MS = 10_000;

/** The gate, where an image is configured. */
export function imageGate(io: Gates): Gate[] {
  const { image } = io.config;
  return image ? [['image', () => awaitImage(io, image)]] : [];
}

/** Waits until the target tag holds the expected commit. What waiting cannot mend ends it at once. */
async function awaitImage({ config, ports, emit, signal }: Gates, image: ImageSource): Promise<string> {
  const { targetTag, dryRun } = config;
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
      const lookup = await registry.resolve(parseTarget(targetTag).tag);
      if (lookup.kind === 'found') {
        const detail = detailOf(lookup.image, config);
        if (detail) return detail;
      }
      if (lookup.kind === 'unauthorized')
        throw refused(`the image ${reference} cannot be read: ${lookup.why}`, signInHint(image));
      found = missing(lookup, config);
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

type Wanted = Pick<Gates['config'], 'image' | 'targetTag' | 'expectedSha'>;

/**
 * What is said of an image that may be rolled; null of another one.
 *
 * @throws FleetError `GATE_REFUSED` where nothing tells what the image was built from.
 */
function detailOf({ digest, revision }: Image, { image, targetTag, expectedSha }: Wanted): string | null {
  const target = parseTarget(targetTag);
  if (target.digest && digest !== target.digest) return null;
  const is = `${target.tag} is ${short(digest)}${target.digest ? ' as asked for' : ''}`;
  if (!expectedSha)
    return `${is}, built from ${revision ? oneLine(revision, 60) : 'an unknown commit'}; no --expected-sha to compare with`;
  if (!revision) throw unlabelled(`${image?.name}:${targetTag}`, digest);
  return revision.toLowerCase() === expectedSha ? `${is}, built from ${expectedSha.slice(0, 7)}` : null;
}

const short = (digest: string) => digest.slice(0, 19);

/** What the registry has instead of the image, and what to do about it. */
interface Missing {
  what: string;
  next: string;
}

function missing(
  lookup: Exclude<Lookup, { kind: 'unauthorized' }>,
  { targetTag, expectedSha }: Wanted,
): Missing {
  const target = parseTarget(targetTag);
  switch (lookup.kind) {
    case 'absent':
      return {
        what: 'there is no such tag',
        next: 'check that the build has pushed it, and --image and --target-tag; or raise --image-wait',
      };
    case 'found':
      if (target.digest && lookup.image.digest !== target.digest)
        return {
          what: `the tag is at ${lookup.image.digest}, not at ${target.digest}`,
          next: `see who pushed this tag again; or give --target-tag ${target.tag}@${lookup.image.digest}, if that is meant`,
        };
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
    `the image ${reference} (${short(digest)}) has no label ${REVISION_LABEL}: it cannot be proven to hold the commit`,
    `build it with --label ${REVISION_LABEL}=<the full commit id>`,
  );

const signInHint = ({ credentials }: ImageSource) =>
  credentials
    ? 'check FLEET_REGISTRY_USER and FLEET_REGISTRY_PASSWORD, their right to pull, and the name in --image'
    : 'set FLEET_REGISTRY_USER and FLEET_REGISTRY_PASSWORD; check the name in --image: one that does not exist can look the same';
