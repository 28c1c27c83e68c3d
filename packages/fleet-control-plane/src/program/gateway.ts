import { slugSchema } from '@tenant-fleet/fleet-core/contract';
import { tenantUrlProblem, urlProblem } from '@tenant-fleet/fleet-core/program';
import type { Command } from 'commander';
import type { UpstreamOptions } from '../gateway/start.js';
import { read, UsageError } from './read.js';

export interface GatewayFlags {
  upstream?: string;
  upstreamTokenFile?: string;
  tenantUrl?: string;
  tenantsFile?: string;
}

export const addGateway = (program: Command): Command =>
  program
    .option('--upstream <url>', 'base URL of the control plane that rolls (gateway)')
    .option(
      '--upstream-token-file <file>',
      'file with the token that it takes, read for every call (gateway)',
    )
    .option(
      '--tenant-url <template>',
      'URL of a tenant with {slug} in it: tenants then show the end of a roll whose answer was lost (gateway)',
    )
    .option(
      '--tenants-file <file>',
      'slugs of the fleet, one a line: for an upstream that rolls at a dry run, plans are made here (gateway)',
    );

/** What the gateway hands rolls to; undefined in the other modes. @throws UsageError */
export async function upstreamOf(
  flags: GatewayFlags,
  isGateway: boolean,
): Promise<UpstreamOptions | undefined> {
  const { upstream: url, upstreamTokenFile: tokenFile, tenantUrl, tenantsFile } = flags;
  if (!isGateway) {
    if (url ?? tokenFile ?? tenantUrl ?? tenantsFile)
      throw new UsageError(
        '--upstream, --upstream-token-file, --tenant-url and --tenants-file are for --mode gateway.',
      );
    return undefined;
  }
  if (!url || !tokenFile)
    throw new UsageError('--mode gateway needs --upstream URL and --upstream-token-file FILE.');
  refuse('--upstream', urlProblem(url, false));
  if (tenantUrl !== undefined) refuse('--tenant-url', tenantUrlProblem(tenantUrl));
  const token = (await read(tokenFile, 'upstream token file')).trim();
  if (!/^\S+$/.test(token)) throw new UsageError(`the upstream token in ${tokenFile} must be one word.`);
  const tenants =
    tenantsFile === undefined ? undefined : slugs(await read(tenantsFile, 'tenants file'), tenantsFile);
  return { url, tokenFile, ...(tenantUrl && { tenantUrl }), ...(tenants && { tenants }) };
}

function refuse(flag: string, problem: [string, string?] | null): void {
  if (problem) throw new UsageError(`${flag} ${problem.filter(Boolean).join('; ')}.`);
}

/** One slug a line, in the order in which they are rolled; empty lines and those with # at the start are left out. */
function slugs(text: string, file: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
  const wrong = lines.find((line) => !slugSchema.safeParse(line).success);
  if (wrong !== undefined)
    throw new UsageError(
      `${file}: ${JSON.stringify(wrong.slice(0, 70))} is not a slug (one DNS label a line).`,
    );
  if (lines.length === 0) throw new UsageError(`${file} names no tenant.`);
  return [...new Set(lines)];
}
