-- Each row of the audit log carries the hash of the row before and its own, so that a change shows.
ALTER TABLE lock_events ADD COLUMN prev text, ADD COLUMN hash text;
ALTER TABLE lock_groups ADD COLUMN last_hash text;

-- The log is only added to, whoever asks.
CREATE FUNCTION fleet_events_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER fleet_events_kept BEFORE UPDATE OR DELETE ON lock_events
  FOR EACH ROW EXECUTE FUNCTION fleet_events_kept();
CREATE TRIGGER fleet_events_kept_whole BEFORE TRUNCATE ON lock_events
  FOR EACH STATEMENT EXECUTE FUNCTION fleet_events_kept();
