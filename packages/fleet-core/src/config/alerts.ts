/** Whom a run tells how it ended, as configured. */

import { usageError } from '../errors.js';
import { isLoopback, urlProblem } from '../io/address.js';
import type { FleetOptions } from './options.js';
import type { SettingName } from './settings.js';

export interface Announcing {
  /** What the alert is about: the environment, else the lock group. */
  name: string;
  issue: boolean;
  commitStatus: boolean;
  /** A secret: whoever knows it can write into the channel. */
  webhook: string | null;
  /** Base of links for people. */
  webUrl: string | null;
}

/** @throws FleetError `USAGE`; the address of the webhook is no part of it. */
export function checkAnnouncing(
  options: FleetOptions,
  name: string | undefined,
  fail: (name: SettingName, problem: string, hint?: string) => never,
): Announcing {
  const webUrl = options.giteaWebUrl?.trim() || options.giteaUrl?.trim() || null;
  // Only links are made of it and nothing is sent there, so http will do.
  const problem = options.giteaWebUrl?.trim() ? urlProblem(options.giteaWebUrl.trim(), true) : null;
  if (problem) fail('gitea-web-url', problem[0], problem[1]);
  return {
    name: name ?? 'fleet',
    issue: options.alertIssue ?? false,
    commitStatus: options.commitStatus ?? false,
    webhook: checkWebhook(options.alertWebhook),
    webUrl,
  };
}

function checkWebhook(value: string | undefined): string | null {
  const text = value?.trim();
  if (!text) return null;
  const bad = (problem: string) =>
    usageError(`FLEET_ALERT_WEBHOOK: ${problem}`, {
      option: 'FLEET_ALERT_WEBHOOK',
      hint: 'give the whole https:// address of the webhook; its value is not shown',
    });
  if (!/^https?:\/\/[^\s\\{}@]+$/i.test(text) || !URL.canParse(text)) throw bad('is not an http(s) URL');
  const url = new URL(text);
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw bad('http:// could be read on the way, and the address is a secret');
  return text;
}
