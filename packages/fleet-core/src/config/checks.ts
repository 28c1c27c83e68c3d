/** What is wrong with the text of a setting. The text is never empty, and has no white space around it. */
import { lockGroupSchema, shaSchema, slugSchema, targetTagSchema } from '../contract.js';
import { isLoopback, urlProblem } from '../io/address.js';
import type { Problem } from './setting.js';
import { parseSwitch } from './switch.js';

const quote = (text: string, length = 60) => JSON.stringify(text.slice(0, length));

export function slug(text: string): Problem | null {
  if (slugSchema.safeParse(text).success) return null;
  return [`${quote(text)} is not a tenant slug (one DNS label)`];
}

export function tag(text: string): Problem | null {
  if (targetTagSchema.safeParse(text).success) return null;
  if (text.includes('@'))
    return [
      `${quote(text, 240)} is neither a tag nor TAG@sha256:DIGEST`,
      'give the digest as the registry does: "sha256:" and 64 hex digits, in lower case',
    ];
  return [
    `${quote(text, 140)} is not an image tag`,
    'letters, digits, "_", "." and "-", at most 128 of them',
  ];
}

export function commit(text: string): Problem | null {
  if (!shaSchema.safeParse(text).success)
    return [`${quote(text)} is not a full commit id`, 'give all 40 hex digits'];
  return /^0{40}$/.test(text) ? ['is all zeros, which no commit is'] : null;
}

export function lockGroup(text: string): Problem | null {
  if (lockGroupSchema.safeParse(text).success) return null;
  const lower = text.toLowerCase();
  const next = lockGroupSchema.safeParse(lower).success ? `write ${lower}` : undefined;
  return [`${quote(text, 80)} must match ^[a-z0-9][a-z0-9._-]{0,62}$`, next];
}

export function variable(text: string): Problem | null {
  return /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(text) ? null : [`${quote(text)} is not a variable name`];
}

export function onOrOff(text: string): Problem | null {
  if (parseSwitch(text) !== 'unknown') return null;
  return [
    `${quote(text, 40)} is neither on nor off`,
    'on: 1 true yes on disabled disable; off: 0 false no off, or empty',
  ];
}

export function hostPin(text: string): Problem | null {
  if (/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i.test(text)) return null;
  const host = URL.canParse(text) ? new URL(text).host : '';
  return [`${quote(text)} is not HOST or HOST:PORT`, host ? `write ${host}` : undefined];
}

/** Where a token is sent: read on the way, it is anybody's. */
export const secureUrl = (text: string): Problem | null => urlProblem(text, false);

/** Where nothing is sent: only links are made of it. */
export const webUrl = (text: string): Problem | null => urlProblem(text, true);

/**
 * What is certainly no token: the text of a null, a mask of stars, several lines, an expression that CI did not fill in.
 * The value is never part of the problem.
 */
export function token(text: string): Problem | null {
  const isOne =
    !/^(?:null|nil|none|undefined|true|false|\*+)$/i.test(text) &&
    !text.includes('${{') &&
    /^[\x21-\x7e]+$/.test(text);
  return isOne ? null : ['what was given is not a token', 'its value is not shown; look where it comes from'];
}

export function registryUser(text: string): Problem | null {
  if (!text.includes(':')) return token(text);
  return ['a user name has no ":" in it', 'the password belongs into FLEET_REGISTRY_PASSWORD'];
}

/** An address that is a secret itself, and never quoted. */
export function webhook(text: string): Problem | null {
  const next = 'give the whole https:// address of the webhook; its value is not shown';
  if (!/^https?:\/\/[^\s\\{}@]+$/i.test(text) || !URL.canParse(text)) return ['is not an http(s) URL', next];
  const { protocol, hostname } = new URL(text);
  if (protocol === 'https:' || isLoopback(hostname)) return null;
  return ['http:// could be read on the way, and the address is a secret', next];
}
