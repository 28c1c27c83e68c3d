/** Where the image of a run is kept, as configured. */

import { isLoopback } from '../io/address.js';
import type { Check } from './check.js';

export interface ImageSource {
  /** As the user wrote it: `registry.example.com/team/server`. */
  name: string;
  /** Origin of the registry. */
  registry: string;
  /** Repository without its host. */
  repository: string;
  credentials: { user: string; password: string } | null;
  /** Milliseconds that the tag may take to appear. */
  waitMs: number;
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;
/** Grammar of the OCI distribution specification. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const EXAMPLE = 'for example registry.example.com/team/server';

/**
 * The image source of the options; null where no image is named.
 *
 * @throws FleetError `USAGE` for a reference that is none.
 */
export function checkImage(check: Check): ImageSource | null {
  const { image: name, imageWaitMs: waitMs } = check.values;
  if (!name) return null;
  const fail = (problem: string, next?: string) => check.fail('image', problem, next);
  if (name.includes('@'))
    fail('has an "@" in it: a digest or a user name', `give host and repository, ${EXAMPLE}`);
  if (name.includes('://')) fail('is not a URL', `leave the scheme out, ${EXAMPLE}`);
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(slash, 0));
  const repository = name.slice(slash + 1);
  // The rule by which container tools tell a host from the first part of a repository.
  if (!/[.:]/.test(host) && host.toLowerCase() !== 'localhost')
    fail(`${quote(name)} does not begin with the host of a registry`, EXAMPLE);
  if (/:[^/]*$/.test(repository)) fail('carries a tag', 'leave it out: --target-tag is the tag');
  if (!HOST.test(host) || !URL.canParse(`https://${host}`) || host.length > 255)
    fail(`${quote(host)} is not the host of a registry`, EXAMPLE);
  if (!REPOSITORY.test(repository) || repository.length > 255)
    fail(
      `${quote(repository)} is not a repository name`,
      'lower-case letters, digits, ".", "_", "-" and "/"',
    );
  const scheme = isLoopback(new URL(`https://${host}`).hostname) ? 'http' : 'https';
  return {
    name,
    registry: new URL(`${scheme}://${host}`).origin,
    repository,
    credentials: credentialsOf(check),
    waitMs,
  };
}

function credentialsOf(check: Check): ImageSource['credentials'] {
  const { registryUser, registryPassword } = check.values;
  if (!registryUser && !registryPassword) return null;
  return {
    user: check.need('registry-user', registryUser),
    password: check.need('registry-password', registryPassword),
  };
}

const quote = (text: string) => JSON.stringify(text.slice(0, 120));
