import { slugSchema } from '../../contract.js';
import { FleetError } from '../../errors.js';
import { oneLine } from '../../text/sanitize.js';

/** A slug that came over the wire. @throws FleetError `CP_CONTRACT` where it is none. */
export function checkSlug(slug: string): string {
  if (slugSchema.safeParse(slug).success) return slug;
  throw new FleetError(
    'CP_CONTRACT',
    `the control plane lists a tenant whose name is no slug: ${oneLine(JSON.stringify(slug), 80)}`,
    {
      next: 'a slug is one DNS label; nothing is sent to such an address',
    },
  );
}
