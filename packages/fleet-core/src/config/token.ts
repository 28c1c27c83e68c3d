import { usageError } from '../errors.js';

/**
 * The token without the white space around it.
 *
 * @throws FleetError `USAGE` for what is certainly none: empty, the text of a null, a mask of stars, several lines, an
 *   expression that CI did not fill in. The value is never part of the error.
 */
export function checkToken(value: string | undefined, name: string): string {
  const token = (value ?? '').trim();
  const hint = name === 'FLEET_CP_TOKEN' ? 'set FLEET_CP_TOKEN or give --token-file' : `set ${name}`;
  if (!token) throw usageError(`${name}: the token is missing`, { option: name, hint });
  if (
    /^(?:null|nil|none|undefined|true|false|\*+)$/i.test(token) ||
    token.includes('${{') ||
    !/^[\x21-\x7e]+$/.test(token)
  ) {
    throw usageError(`${name}: what was given is not a token`, {
      option: name,
      hint: `${hint}; its value is not shown`,
    });
  }
  return token;
}
