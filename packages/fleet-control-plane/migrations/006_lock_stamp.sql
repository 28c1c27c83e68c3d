-- Changes with every change of what a transition looks at, so that a control plane may decide on what it remembers:
-- the write says which state it was decided on, and does nothing on another one. A random value comes never again,
-- not even on a standby that lacks the last commits. Who changes groups or claims by hand gives the group a new one.
ALTER TABLE lock_groups ADD COLUMN stamp uuid NOT NULL DEFAULT gen_random_uuid();

-- Marks are written apart from transitions.
CREATE FUNCTION fleet_lock_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lock_groups SET stamp = gen_random_uuid() WHERE name = NEW.group_name;
  RETURN NULL;
END $$;
CREATE TRIGGER fleet_lock_marked AFTER INSERT OR UPDATE ON lock_order_marks
  FOR EACH ROW EXECUTE FUNCTION fleet_lock_marked();

-- A promotion raises the timeline; tokens are taken from it.
CREATE FUNCTION fleet_lock_timeline() RETURNS integer LANGUAGE sql VOLATILE
RETURN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int;
