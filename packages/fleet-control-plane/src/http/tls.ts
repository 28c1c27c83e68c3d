import { createSecureContext } from 'node:tls';

/** Certificate chain and private key, PEM. */
export interface Tls {
  cert: string;
  key: string;
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

/** What to say of plain HTTP on this address; undefined for loopback. */
export const plainHttpWarning = (host: string): string | undefined =>
  /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/i.test(host)
    ? undefined
    : `ATTENTION: plain HTTP on ${host}: whoever is on the way can read the tokens. Give --tls-cert and --tls-key, or let only a proxy with TLS in`;
