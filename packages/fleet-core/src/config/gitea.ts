/** Which Gitea a run talks to, and for what. */

import { isRepository } from '../clients/gitea/gitea.js';
import { usageError } from '../errors.js';
import { urlProblem } from '../io/address.js';
import type { FleetOptions } from './options.js';
import type { SettingName } from './settings.js';

export interface GiteaAccess {
  url: string;
  token: string | null;
  repository: string;
}

interface Request {
  options: FleetOptions;
  /** `giteaToken`, checked. */
  token: string | null;
  branch: string | null;
  /** Settings that cannot work without Gitea, and whether they are in use here; the first of them is named. */
  users: [SettingName, boolean][];
  fail: (name: SettingName, problem: string, hint?: string) => never;
  origin: (name: SettingName, value: string, insecure?: boolean) => string;
}

/** What is said where a setting needs the token and there is none. */
const NEEDS_TOKEN: Partial<Record<SettingName, [problem: string, hint: string]>> = {
  'kill-switch': [
    'cannot be read without it',
    'pass a token of the repository owner, or use --hold with the value of the variable',
  ],
  'alert-issue': ['cannot write issues without it', 'pass a token that may write issues'],
  'commit-status': ['cannot be set without it', 'pass a token that may write to the repository'],
};

/**
 * The server, or null where nothing needs it.
 *
 * @throws FleetError `USAGE` where a setting needs what is not there.
 */
export function checkGitea({ options, token, branch, users, fail, origin }: Request): GiteaAccess | null {
  const used = users.filter(([, uses]) => uses).map(([name]) => name);
  const [first] = used;
  if (first) {
    const repository = options.repository ?? '';
    if (!options.giteaUrl) fail(first, 'needs a Gitea server', 'give --gitea-url');
    if (!isRepository(repository)) fail('repository', `${JSON.stringify(repository)} is not owner/name`);
    for (const name of used) {
      const [problem, hint] = NEEDS_TOKEN[name] ?? [];
      if (token || !problem) continue;
      throw usageError(`GITEA_TOKEN: is empty, and --${name} ${problem}`, { option: 'GITEA_TOKEN', hint });
    }
    return { url: origin('gitea-url', options.giteaUrl ?? '', options.allowHttpGitea), token, repository };
  }
  const { giteaUrl: url, repository } = options;
  // Nothing needs Gitea: it only serves to report how far the fleet lags, so a URL that is no good is no error.
  if (!token || !branch || !isRepository(repository) || !url) return null;
  if (urlProblem(url, options.allowHttpGitea ?? false)) return null;
  return { url: url.replace(/\/+$/, ''), token, repository };
}
