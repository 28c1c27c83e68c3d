-- Of databases that were made with the migration 006 of before: a transition decides on nothing older than the group's
-- row, so no stamp tells whether it still stands.
DROP TRIGGER IF EXISTS fleet_lock_marked ON lock_order_marks;
DROP FUNCTION IF EXISTS fleet_lock_marked;
ALTER TABLE lock_groups DROP COLUMN IF EXISTS stamp;
ALTER TABLE lock_claims DROP COLUMN IF EXISTS renewed_at;
