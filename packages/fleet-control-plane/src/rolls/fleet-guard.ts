import type { Database } from '../db/database.js';

/**
 * Keeps the lock group that guards this database's fleet as the first server named it.
 *
 * @throws Error where another group guards it: two groups would let two rolls of one fleet overlap.
 */
export async function keepGuard(db: Database, lockGroup: string): Promise<void> {
  await db.rows({
    text: 'INSERT INTO fleet_guard (lock_group) VALUES ($1) ON CONFLICT DO NOTHING',
    values: [lockGroup],
  });
  const [guard] = await db.rows<{ lock_group: string }>({ text: 'SELECT lock_group FROM fleet_guard' });
  if (guard && guard.lock_group !== lockGroup) {
    throw new Error(
      `The fleet in this database is guarded by the lock group "${guard.lock_group}": start with --lock-group ${guard.lock_group}.`,
    );
  }
}
