import { createHash } from 'node:crypto';

/** Names a style or script in a content security policy, so that this very text may be used and no other. */
export const hashOf = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
