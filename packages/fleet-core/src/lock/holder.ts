/** Who holds or waits for a lock, as others are told. */
import type { Config } from '../config/config.js';
import type { Holder, WaitedFor } from '../contract.js';
import { isWebAddress } from '../io/address.js';
import { cut } from '../text/cut.js';
import { oneLine } from '../text/sanitize.js';

/** Whoever runs this, for the people who wait for the lock. */
export function holderOf(config: Config, hostname: string): Holder {
  const { trigger } = config;
  const what = config.environment ?? config.lock?.group ?? 'fleet';
  return {
    name: cut(`fleet ${config.rollback ? 'rollback' : config.command} ${what}`, 200),
    ...(trigger.actor ? { actor: cut(trigger.actor, 200) } : {}),
    ...(isWebAddress(trigger.runUrl) ? { run_url: trigger.runUrl } : {}),
    ...(config.gitea ? { repository: cut(config.gitea.repository, 200) } : {}),
    ...(config.branch ? { branch: cut(config.branch, 255) } : {}),
    ...(config.expectedSha ? { sha: config.expectedSha } : {}),
    host: cut(hostname, 255) || 'unknown',
  };
}

/** A holder made safe to print: its texts were written by somebody else. */
export function cleanHolder(holder: WaitedFor): WaitedFor {
  const safe = (text: string | null | undefined) => (text ? oneLine(text, 160) : undefined);
  return {
    name: oneLine(holder.name, 160),
    actor: safe(holder.actor),
    run_url: isWebAddress(holder.run_url) ? safe(holder.run_url) : undefined,
    repository: safe(holder.repository),
    branch: safe(holder.branch),
    sha: safe(holder.sha),
    host: safe(holder.host),
    step: safe(holder.step),
    held_for_seconds: holder.held_for_seconds,
    last_renew_seconds_ago: holder.last_renew_seconds_ago,
    alive: holder.alive,
  };
}
