/** Where the image of a run is kept, as configured. */

import { usageError } from '../errors.js';
import { isLoopback } from '../io/address.js';
import type { FleetOptions } from './options.js';
import { checkToken } from './token.js';

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

type ImageOptions = Pick<FleetOptions, 'image' | 'registryUser' | 'registryPassword'>;

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;
/** Grammar of the OCI distribution specification. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const EXAMPLE = 'for example registry.example.com/team/server';

/**
 * The image source of the options; null where no image is named.
 *
 * @throws FleetError `USAGE`; a reference that is none by way of `failWith`, which names the option.
 */
export function checkImage(
  options: ImageOptions,
  waitMs: number,
  failWith: (option: 'image', problem: string, hint?: string) => never,
): ImageSource | null {
  const name = options.image?.trim();
  if (!name) return null;
  const fail = (problem: string, hint?: string) => failWith('image', problem, hint);
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
    credentials: credentialsOf(options),
    waitMs,
  };
}

function credentialsOf({ registryUser, registryPassword }: ImageOptions): ImageSource['credentials'] {
  if (!registryUser && !registryPassword) return null;
  const user = checkToken(registryUser, 'FLEET_REGISTRY_USER');
  if (user.includes(':'))
    throw usageError('FLEET_REGISTRY_USER: a user name has no ":" in it', {
      option: 'FLEET_REGISTRY_USER',
      hint: 'the password belongs into FLEET_REGISTRY_PASSWORD',
    });
  return { user, password: checkToken(registryPassword, 'FLEET_REGISTRY_PASSWORD') };
}

const quote = (text: string) => JSON.stringify(text.slice(0, 120));
