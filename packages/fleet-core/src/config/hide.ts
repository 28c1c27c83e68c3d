/** Keeps secrets out of whatever prints a configuration: a log line, an error with its context, a debugger. */
import type { Config } from './config.js';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** The same configuration; printed, its secrets are stars. Its parts hide theirs too, a copy made of one does not. */
export function hidden(config: Config): Config {
  const { lock, gitea, image, announcing } = config;
  return starred(
    {
      ...config,
      ...{ lock: lock && starred(lock, 'token', 'inheritedSession') },
      ...{ gitea: gitea && starred(gitea, 'token') },
      ...{ image: image && starred(image, 'credentials') },
      announcing: starred(announcing, 'webhook'),
    },
    'controlPlaneToken',
  );
}

function starred<T extends object>(value: T, ...secrets: (keyof T)[]): T {
  const shown = () =>
    Object.fromEntries(
      Object.entries(value).map(([name, one]) => [
        name,
        one && secrets.includes(name as keyof T) ? '***' : one,
      ]),
    );
  for (const key of ['toJSON', INSPECT]) Object.defineProperty(value, key, { value: shown });
  return value;
}
