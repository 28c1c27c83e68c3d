import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type Server } from 'node:tls';

/** Certificate chain and private key, PEM. */
export interface Tls {
  cert: string;
  key: string;
  /** Where they were read, to be read again when they change. */
  files?: { cert: string; key: string };
}

/** How often the files are looked at for a change, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/**
 * Takes a renewed certificate from its files while the server runs; connections that stand keep the one they began with.
 * Certificate and key are written one after the other, so what does not fit together is left until it does.
 *
 * @returns ends the watch.
 */
export function renewTls(
  server: Pick<Server, 'setSecureContext'>,
  files: { cert: string; key: string },
  log: (line: string) => void,
): () => void {
  const reload = async () => {
    try {
      const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
      const problem = tlsProblem({ cert, key });
      if (problem) throw new Error(problem);
      server.setSecureContext({ cert, key });
      log('TLS certificate read again');
    } catch (error) {
      log(
        `ATTENTION: the TLS files are of no use: ${(error as Error).message}. The certificate read before still serves`,
      );
    }
  };
  const changed = () => void reload();
  for (const file of Object.values(files))
    watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, changed);
  return () => {
    for (const file of Object.values(files)) unwatchFile(file, changed);
  };
}

/** Why these cannot serve TLS; undefined when they can. */
export function tlsProblem(tls: Tls): string | undefined {
  try {
    createSecureContext(tls);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

/** Says loudly that tokens can be read on the way; loopback has none. */
export function warnOfPlainHttp(host: string, tls: Tls | undefined, log: (line: string) => void): void {
  if (tls || /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/i.test(host)) return;
  log(
    `ATTENTION: plain HTTP on ${host}: whoever is on the way can read the tokens. Give --tls-cert and --tls-key, or let only a proxy with TLS in`,
  );
}
