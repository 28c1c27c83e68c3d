/** The npm registry of a release, through npm itself: it knows proxies, redirects and every registry's habits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, type CommandResult } from './command.js';
import { ReleaseError } from './errors.js';
import type { Tarball } from './pack.js';

export class Registry {
  readonly #folder: string;
  readonly #options: string[];

  /**
   * @param folder for npm's configuration; the caller removes it
   * @throws ReleaseError `USAGE` where `NPM_REGISTRY` or `NPM_TOKEN` is missing or unsafe
   */
  constructor(env: NodeJS.ProcessEnv, folder: string) {
    const url = registryUrl(env.NPM_REGISTRY);
    if (!env.NPM_TOKEN?.trim()) {
      throw new ReleaseError(
        'USAGE',
        'NPM_TOKEN is missing',
        'set it to a token that may write packages; in the workflow it is the secret RELEASE_TOKEN',
      );
    }
    this.#folder = folder;
    const userconfig = join(folder, 'npmrc');
    // npm reads the variable itself: the token is in no file and in no argument.
    writeFileSync(userconfig, `//${url.host}${url.pathname}:_authToken=\${NPM_TOKEN}\n`);
    this.#options = ['--json', '--loglevel=error', `--userconfig=${userconfig}`, `--registry=${url}`];
  }

  /** Whether the registry lists this version. @throws ReleaseError `REGISTRY` */
  lists(name: string, version: string): boolean {
    const seen = this.#npm(name, ['view', `${name}@${version}`, 'version', '--prefer-online']);
    const code = errorCode(seen);
    // npm answers with nothing where the package has other versions only.
    if (seen.code === 0) return seen.stdout.trim() !== '';
    if (code === 'E404') return false;
    throw failed(`${name} ${version} cannot be looked up`, code ?? `exit code ${seen.code}`);
  }

  /** @throws ReleaseError `REGISTRY` */
  publish(tarball: Tarball): 'published' | 'already published' {
    const sent = this.#npm(tarball.name, ['publish', tarball.file, '--ignore-scripts']);
    if (sent.code === 0) return 'published';
    const code = errorCode(sent) ?? `exit code ${sent.code}`;
    if (code === 'E409' || code === 'EPUBLISHCONFLICT') return 'already published';
    // An answer that was lost is not a package that was: ask before calling it a failure.
    if (this.#knows(tarball)) return 'published';
    throw failed(`${tarball.name} ${tarball.version} was not published`, code);
  }

  #knows({ name, version }: Tarball): boolean {
    try {
      return this.lists(name, version);
    } catch {
      return false;
    }
  }

  #npm(name: string, args: string[]): CommandResult {
    const scope = name.split('/')[0];
    const registry = this.#options.at(-1)?.replace('--registry', `--${scope}:registry`) ?? '';
    // Away from the repository: its .npmrc could send the scope to another registry.
    return attempt('npm', [...args, ...this.#options, registry], { cwd: this.#folder });
  }
}

function registryUrl(value: string | undefined): URL {
  const next = 'give the address as Gitea shows it: https://git.example.com/api/packages/OWNER/npm/';
  if (!value?.trim()) throw new ReleaseError('USAGE', 'NPM_REGISTRY is missing', next);
  if (!URL.canParse(value.trim())) throw new ReleaseError('USAGE', 'NPM_REGISTRY is not an address', next);
  const url = new URL(value.trim());
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new ReleaseError('USAGE', `NPM_REGISTRY would send the token over ${url.protocol}//`, next);
  }
  if (url.username || url.password) throw new ReleaseError('USAGE', 'NPM_REGISTRY carries credentials', next);
  return new URL(`${url.origin}${url.pathname.replace(/\/*$/, '/').replace(/\/{2,}/g, '/')}`);
}

/** With `--json`, npm writes `{"error": {"code": "E401", ...}}`; its other texts may quote the server. */
function errorCode({ code, stdout }: CommandResult): string | null {
  if (code === 0) return null;
  try {
    const { error } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { error?: { code?: unknown } };
    return typeof error?.code === 'string' ? error.code : null;
  } catch {
    return null;
  }
}

const NEXT: Record<string, string> = {
  E401: 'NPM_TOKEN is unknown to the registry: give a personal access token with the scope write:package; the token of a job cannot publish',
  E403: 'the owner of NPM_TOKEN may not write packages of this owner, or the token lacks the scope write:package',
  E404: 'check NPM_REGISTRY: https://git.example.com/api/packages/OWNER/npm/, where OWNER is a user or an organisation',
};

function failed(what: string, code: string): ReleaseError {
  const next = NEXT[code] ?? 'check that NPM_REGISTRY can be reached';
  return new ReleaseError(
    'REGISTRY',
    `${what}: ${code}`,
    `${next}; then run the release again, what is published is left alone`,
  );
}
