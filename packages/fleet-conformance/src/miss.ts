/** The server does something else than the contract asks for. */
export class Miss extends Error {
  override readonly name = 'Miss';
}

/** What happened says nothing of the demand. */
export class Unproven extends Error {
  override readonly name = 'Unproven';
}

/** @throws Miss with what was seen. */
export function must(condition: unknown, seen: string): asserts condition {
  if (!condition) throw new Miss(seen);
}
