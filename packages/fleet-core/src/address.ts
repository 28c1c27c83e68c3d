/** Host of a URL without its port, lower case. */
export function hostOf(url: string): string {
  return new URL(url).hostname.toLowerCase();
}

/** True for `localhost`, `*.localhost` (RFC 6761), 127.0.0.0/8 and `::1`. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  );
}
