/** Whether a claim that goes before this one by its number really is of a newer commit. */
import type { Config } from '../config/config.js';
import type { Superseder } from '../contract.js';
import { gitea } from '../gate/gate.js';
import { isWebAddress } from '../io/address.js';
import type { Ports } from '../ports.js';
import { oneLine } from '../text/sanitize.js';

/**
 * Why a superseder is not newer, where that is known; null where nothing speaks against it.
 *
 * Two counters can meet under one key: two servers each count their runs, and a new workflow may begin again at 1.
 */
export async function doubtSuperseder(
  config: Config,
  ports: Pick<Ports, 'http' | 'clock'>,
  by: Superseder,
  signal: AbortSignal,
): Promise<string | null> {
  const mine = hostOf(config.trigger.runUrl);
  const theirs = hostOf(by.run_url ?? by.holder?.run_url);
  if (mine && theirs && mine !== theirs)
    return `its run is on ${oneLine(theirs, 100)} and this one on ${oneLine(mine, 100)}, which count apart`;
  const sha = (by.sha ?? by.holder?.sha)?.toLowerCase();
  const { branch, expectedSha } = config;
  if (!sha || sha === expectedSha || !branch || !expectedSha || !config.gitea) return null;
  const head = await gitea({ config, ports, signal }).branchHead(branch);
  if (head.kind !== 'read') return null;
  return head.value === expectedSha
    ? `${oneLine(branch, 80)} is at ${expectedSha.slice(0, 7)}, the commit of this run`
    : null;
}

const hostOf = (url: string | null | undefined): string | null =>
  isWebAddress(url) ? new URL(url).host : null;
