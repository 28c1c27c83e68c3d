/** What PostgreSQL and Node need of an environment, and nothing that could be a secret. */
const KEPT =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|(?:LD|DYLD)_LIBRARY_PATH|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|NODE_(?:OPTIONS|EXTRA_CA_CERTS|V8_COVERAGE))$/i;

/** Takes everything else away: a database process that we start inherits this environment, and others may read it there. */
export function forgetSecrets(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (!KEPT.test(name)) delete env[name];
}
