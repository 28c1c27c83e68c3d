/** What a token may do: look; claim, hold and roll; take away or withhold what others hold. */
export const SCOPES = ['read', 'roll', 'operate'] as const;
export type Scope = (typeof SCOPES)[number];

const ROLLS =
  /\/(?:claims\/:claim_id(?:\/(?:renew|release|rollout))?|redeploy-fleet|rolls\/settle|admin\/rollouts\/?|rollouts\/:id\/(?:pause|resume|abort))$/;

/** The scope that a call needs, by its method and the pattern of its route. A call that is not listed needs the most. */
export function scopeOf(method: string, route: string): Scope {
  if (method === 'GET' || method === 'HEAD') return 'read';
  return ROLLS.test(route) ? 'roll' : 'operate';
}
