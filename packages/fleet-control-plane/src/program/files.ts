import { parse as parseYaml } from 'yaml';
import type { ControlPlaneOptions } from '../control-plane.js';
import { TOKEN_LENGTH_MIN } from '../http/auth/tokens.js';
import { tlsProblem } from '../http/tls.js';
import { type FleetFile, fleetFileSchema } from '../sim/behaviour.js';
import { read, UsageError } from './read.js';

export async function readTokens(
  { tokenFile, ...flags }: { tokenFile?: string; tokensFile?: string },
  env: NodeJS.ProcessEnv,
): Promise<Pick<ControlPlaneOptions, 'token' | 'tokensFile'>> {
  const tokensFile = flags.tokensFile ?? (env.FLEET_CP_TOKENS_FILE || undefined);
  const text = tokenFile === undefined ? (env.FLEET_CP_TOKEN ?? '') : await read(tokenFile, 'token file');
  const token = text.trim();
  if (token === '') {
    if (tokensFile && tokenFile === undefined) return { tokensFile };
    throw new UsageError(
      'no token: give --token-file FILE or set FLEET_CP_TOKEN, or give --tokens-file FILE.',
    );
  }
  if (/\s/.test(token)) throw new UsageError('the token must be one word.');
  if (token.length < TOKEN_LENGTH_MIN) {
    throw new UsageError(
      `the token has fewer than ${TOKEN_LENGTH_MIN} characters: make one with "openssl rand -hex 24".`,
    );
  }
  return { token, ...(tokensFile && { tokensFile }) };
}

export async function readTls({
  tlsCert,
  tlsKey,
}: {
  tlsCert?: string;
  tlsKey?: string;
}): Promise<Pick<ControlPlaneOptions, 'tls'>> {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError('--tls-cert and --tls-key need each other.');
  const files = { cert: tlsCert, key: tlsKey };
  const tls = { cert: await read(tlsCert, 'certificate'), key: await read(tlsKey, 'key'), files };
  const problem = tlsProblem(tls);
  if (problem) throw new UsageError(`${tlsCert} and ${tlsKey} cannot serve TLS: ${problem}.`);
  return { tls };
}

export async function readFleet(file: string): Promise<FleetFile> {
  const text = await read(file, 'fleet file');
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new UsageError(`the fleet file ${file} is not YAML: ${String(error).split('\n', 1)[0]}`);
  }
  const parsed = fleetFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // YAML takes a commit of digits only for a number, and one like 12e4567 for another.
  const hint = /received number/.test(issue?.message ?? '') ? ' Put it in quotes.' : '';
  throw new UsageError(
    `the fleet file ${file} is not valid at "${issue?.path.join('.')}": ${issue?.message}.${hint}`,
  );
}
