/** Why something could not be announced. Never leaves the library: it becomes a warning. */
import type { Read } from '../clients/gitea/request.js';

export class NotAnnounced extends Error {
  override readonly name = 'NotAnnounced';
}

/** @param right What the token needs, named where the lack of it may be the cause. */
export function notAnnounced(
  text: string,
  read: Exclude<Read<unknown>, { kind: 'read' }>,
  right: string,
): NotAnnounced {
  // Without the right to see a private repository, everything in it is "not found".
  const needs = read.kind === 'forbidden' || read.kind === 'absent' ? `; GITEA_TOKEN needs ${right}` : '';
  return new NotAnnounced(`${text}${needs}`);
}
