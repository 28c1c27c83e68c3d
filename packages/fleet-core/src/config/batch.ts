/** How many tenants are rolled at once. */

/** A share of the fleet, above 0% and up to 100%. */
export type Share = `${number}%`;

export interface BatchPolicy {
  /** Tenants of the first batch, at least 1, or a share of the fleet. */
  batchSize: number | Share;
  /** How many times as large as the one before each batch is, at least 1. */
  batchGrowth: number;
  /** Tenants of a batch at most; null: no limit. */
  batchMax: number | null;
}

export function isShare(text: string): text is Share {
  const [, number] = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text) ?? [];
  return number !== undefined && Number(number) > 0 && Number(number) <= 100;
}

/** A size in tenants of a fleet; a share is rounded up, since a batch of nobody would never end. */
export const tenantsOf = (size: number | Share, fleet: number): number =>
  typeof size === 'number' ? size : Math.max(1, Math.ceil((Number.parseFloat(size) / 100) * fleet));
