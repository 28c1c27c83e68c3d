import {
  type RedeployAnswer,
  type RedeployRow,
  redeployAnswerSchema,
  slugSchema,
} from '@tenant-fleet/fleet-core/contract';
import { redact } from '@tenant-fleet/fleet-core/program';

/** Status and phase are single words by the contract; prose in their place is masked as prose. */
const word = (text: string | null | undefined) =>
  text && (/^[A-Za-z][\w-]{0,39}$/.test(text) ? text : redact(text, 80));

/** An image by name and tag: the registry in front of it may name an account. */
const image = (text: string | null | undefined) => {
  const last = text?.split('/').at(-1);
  return last && /^[\w.-]{1,100}(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?$/.test(last) ? last : undefined;
};

/**
 * An upstream's answer as a gateway hands it on: the fields that the contract names, and none of the words that may carry
 * identifiers of machines and accounts. Undefined where the body is no answer to a redeploy.
 */
export function harmless(json: unknown): RedeployAnswer | undefined {
  const parsed = redeployAnswerSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { ok, error, results } = parsed.data;
  return { ok, ...(error && { error: redact(error) }), results: results.map(harmlessRow) };
}

function harmlessRow(row: RedeployRow): RedeployRow {
  const { ssm_exit_code, healthz_ok, verified_on_target } = row;
  const slug = row.slug && (slugSchema.safeParse(row.slug).success ? row.slug : redact(row.slug, 80));
  const given = {
    slug,
    phase: word(row.phase),
    ssm_status: word(row.ssm_status),
    ssm_exit_code,
    healthz_ok,
    verified_on_target,
    running_image: image(row.running_image),
    error: row.error && redact(row.error),
  };
  // A field that did not come says something else than null.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
