const SECRETS = ['NPM_TOKEN', 'RELEASE_TOKEN'];

/** Takes tokens, and the credentials in URLs, out of text that other programs wrote. */
export function redact(text: string, env: NodeJS.ProcessEnv = process.env): string {
  const tokens = SECRETS.map((name) => env[name]?.trim()).filter((token): token is string => !!token);
  // Git sends the token in base64, with the user name before it.
  const forms = tokens.flatMap((token) => [token, basicCredentials(token)]);
  const clean = text.replace(/\/\/[^@/\s]+@/g, '//***@');
  return forms.reduce((rest, form) => rest.replaceAll(form, '***'), clean);
}

/** User name and token as HTTP Basic sends them; the servers read the token and leave the name unread. */
export function basicCredentials(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString('base64');
}

export function say(line: string): void {
  process.stdout.write(`${redact(line)}\n`);
}
