/** Which requests go through a proxy, by the variables that other programs read too. */
import { isLoopback } from './address.js';

export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address, null for none. `https_proxy` and `http_proxy`, in small letters first; https goes through
 * the proxy of http where it has none of its own, as with undici's EnvHttpProxyAgent. Loopback never does.
 *
 * @returns An address of the proxy as it was given, with `http://` where that was left out.
 */
export function proxyFor({ protocol, hostname, port }: URL, env: ProxyEnv): string | null {
  if (isLoopback(hostname) || isExempt(hostname, port || (protocol === 'https:' ? '443' : '80'), env))
    return null;
  const http = value(env, 'http_proxy');
  const proxy = protocol === 'https:' ? (value(env, 'https_proxy') ?? http) : http;
  if (!proxy) return null;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

/** `NO_PROXY`: names with or without a leading dot or `*`, each with what is below it, an optional port; `*` for all. */
function isExempt(host: string, port: string, env: ProxyEnv): boolean {
  const entries = (value(env, 'no_proxy') ?? '').toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => {
    if (entry === '*') return true;
    const [, name, only] = /^\*?\.?(\[[^\]]+\]|[^:]+|[^:]*(?::[^:]*){2,})(?::(\d+))?$/.exec(entry) ?? [];
    if (!name || (only && only !== port)) return false;
    return host === name || host === `[${name}]` || host.endsWith(`.${name}`);
  });
}

const value = (env: ProxyEnv, name: string): string | undefined =>
  env[name]?.trim() || env[name.toUpperCase()]?.trim() || undefined;
