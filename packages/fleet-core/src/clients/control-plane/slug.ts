import { slugSchema } from '../../contract.js';
import { FleetError } from '../../errors.js';
import { oneLine } from '../../text/sanitize.js';

/** A slug that came over the wire. @param who Who names it. @throws FleetError `CP_CONTRACT` where it is none. */
export function checkSlug(slug: string, who = 'the control plane lists'): string {
  if (slugSchema.safeParse(slug).success) return slug;
  throw new FleetError(
    'CP_CONTRACT',
    `${who} a tenant whose name is no slug: ${oneLine(JSON.stringify(slug), 80)}`,
    {
      next: 'a slug is one DNS label; nothing is sent to such an address',
    },
  );
}
