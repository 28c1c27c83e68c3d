import { usageError } from './errors.js';

/** Refuses what is certainly no token: empty, the text of a null, an expression that CI did not fill in. */
export function checkToken(value: string | undefined, name: string): string {
  const token = (value ?? '').trim();
  const hint = name === 'FLEET_CP_TOKEN' ? 'set FLEET_CP_TOKEN or give --token-file' : `set ${name}`;
  if (!token) throw usageError(`${name}: the token is missing`, { option: name, hint });
  if (
    /^(?:null|none|undefined|false)$/i.test(token) ||
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
