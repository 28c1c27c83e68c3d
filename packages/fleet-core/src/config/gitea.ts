/** Which Gitea a run talks to, and for what. */
import { usageError } from '../errors.js';
import { urlProblem } from '../io/address.js';
import type { Check } from './check.js';
import type { GiteaAccess } from './config.js';
import type { SettingName } from './settings.js';
import { baseUrl } from './target.js';
import { maySend } from './trust.js';

/** What is said where a setting needs the token and there is none. */
const NEEDS_TOKEN: Partial<Record<SettingName, [problem: string, next: string]>> = {
  'kill-switch': [
    'cannot be read without it',
    'pass a token of the repository owner, or use --hold with the value of the variable',
  ],
  'alert-issue': ['cannot write issues without it', 'pass a token that may write issues'],
  'commit-status': ['cannot be set without it', 'pass a token that may write to the repository'],
};

/** True for `owner/name`. */
export const isRepository = (text: string | undefined): text is string =>
  /^[\w.-]*\w[\w.-]*\/[\w.-]*\w[\w.-]*$/.test(text ?? '');

/**
 * The server, or null where nothing needs it.
 *
 * @param users Settings in use that cannot work without Gitea; the first of them is named.
 * @throws FleetError `USAGE` where a setting needs what is not there.
 */
export function checkGitea(check: Check, users: readonly SettingName[]): GiteaAccess | null {
  const { giteaUrl = '', giteaToken, repository = '', allowHttpGitea, branch } = check.values;
  const token = giteaToken ?? null;
  const problem = giteaUrl ? urlProblem(giteaUrl, allowHttpGitea ?? false) : null;
  const [first] = users;
  if (!first) {
    // It would only tell how far the fleet lags, so an address that is no good is no error.
    const usable = token && branch && giteaUrl && !problem && isRepository(repository);
    if (!usable || !maySend(check, { setting: 'gitea-url', url: giteaUrl })) return null;
    return { url: baseUrl(giteaUrl), token, repository };
  }
  if (!giteaUrl) check.fail(first, 'needs a Gitea server', 'give --gitea-url');
  if (!isRepository(repository)) check.fail('repository', `${JSON.stringify(repository)} is not owner/name`);
  for (const name of users) {
    const [why, next] = NEEDS_TOKEN[name] ?? [];
    if (token || !why) continue;
    throw usageError(`GITEA_TOKEN: is empty, and --${name} ${why}`, { option: 'GITEA_TOKEN', next });
  }
  if (problem) check.fail('gitea-url', ...problem);
  return { url: baseUrl(giteaUrl), token, repository };
}
