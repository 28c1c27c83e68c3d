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

/** What is wrong with a base URL, and what to write instead; null where it is fine. */
export function urlProblem(value: string, allowHttp: boolean): [string, string?] | null {
  if (/^[a-z]+:\/*[^/?#]*@/i.test(value))
    return ['carries a user name or password', 'credentials are never part of a URL'];
  if (!/^https?:\/\/[^\s\\{}]+$/i.test(value) || !URL.canParse(value)) {
    // What stands before an @ may be a credential, so such a value is not quoted.
    const quoted = value.includes('@') ? 'the value' : JSON.stringify(value.slice(0, 120));
    return [`${quoted} is not an http(s) URL`];
  }
  // An empty query too: the path that is appended would become a part of it.
  if (/[?#]/.test(value)) return ['has a query or a fragment'];
  const url = new URL(value);
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    return [
      `http:// to ${url.hostname} could be read and forged on the way`,
      'use https://; http:// is for loopback only',
    ];
  }
  return null;
}

/** What is wrong with a tenant URL template; null where it is fine. */
export function tenantUrlProblem(template: string): [string, string?] | null {
  if (template.split('{slug}').length !== 2) {
    return ['must contain {slug} exactly once', 'for example https://{slug}.staging.example.com'];
  }
  const probe = template.replace('{slug}', 'slug-0');
  if (/\/buildinfo\/*$/.test(probe)) return ['ends in /buildinfo', 'leave that out: it is appended'];
  const problem = urlProblem(probe, false);
  if (problem) return problem;
  const url = new URL(probe);
  if (!url.hostname.includes('slug-0') && !url.pathname.includes('slug-0'))
    return ['must have {slug} in host or path'];
  return null;
}

/** An http(s) address of at most 2,000 characters: the lock server takes nothing else, and a page makes a link of it. */
export const isWebAddress = (url: string | null | undefined): url is string =>
  !!url && url.length <= 2000 && /^https?:\/\//i.test(url) && URL.canParse(url);
