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

-- As before, with the hash of the last row.
CREATE OR REPLACE FUNCTION fleet_lock_read(p_group text, p_subject uuid, p_key text, p_lock uuid[], p_head integer)
RETURNS json LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  g lock_groups;
BEGIN
  SELECT * INTO g FROM lock_groups WHERE name = p_group FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO lock_groups (name, last_token) SELECT p_group, coalesce(max(floor), 0) FROM lock_restores
      ON CONFLICT DO NOTHING;
    SELECT * INTO g FROM lock_groups WHERE name = p_group FOR UPDATE;
  END IF;
  IF p_lock IS NOT NULL THEN
    PERFORM 1 FROM lock_claims WHERE group_name = p_group AND claim_id = ANY (p_lock) FOR UPDATE;
  END IF;
  RETURN json_build_object(
    'name', g.name, 'version', g.version, 'lastToken', g.last_token, 'lastPlace', g.last_place,
    'lastEvent', g.last_event, 'lastHash', g.last_hash, 'frozen', g.frozen, 'now', clock_timestamp(), 'timeline', fleet_lock_timeline(),
    'openRolls', fleet_open_rolls(p_group),
    'waitingCount', (SELECT count(*) FROM lock_claims
      WHERE group_name = p_group AND ended_at IS NULL AND state = 'queued'),
    'held', (SELECT row_to_json(c) FROM lock_claim_view c WHERE "group" = p_group AND state = 'held'),
    'subject', (SELECT row_to_json(c) FROM lock_claim_view c WHERE "group" = p_group AND "claimId" = p_subject),
    'waiting', (SELECT coalesce(json_agg(row_to_json(c)), '[]') FROM (
      (SELECT * FROM lock_claim_view WHERE "group" = p_group AND "endedAt" IS NULL AND state = 'queued'
        ORDER BY place LIMIT p_head)
      UNION
      (SELECT * FROM lock_claim_view WHERE p_key IS NOT NULL AND "group" = p_group AND "endedAt" IS NULL
        AND state = 'queued' AND "orderKey" = p_key)) c),
    'marks', (SELECT coalesce(json_agg(row_to_json(m)), '[]') FROM lock_order_marks m
      WHERE group_name = p_group AND (key = p_key OR key IN
        (SELECT order_key FROM lock_claims WHERE group_name = p_group AND ended_at IS NULL AND state = 'queued'))));
END $$;

DROP FUNCTION fleet_lock_write;
CREATE FUNCTION fleet_lock_write(p_group text, p_version bigint, p_last_token bigint, p_last_place bigint,
  p_last_event bigint, p_last_hash text, p_frozen jsonb, p_changed json, p_created json, p_events json, p_marks json, p_note text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  c record;
BEGIN
  UPDATE lock_groups SET version = p_version, last_token = p_last_token, last_place = p_last_place,
    last_event = p_last_event, last_hash = p_last_hash, frozen = p_frozen
  WHERE name = p_group;
  IF p_changed IS NOT NULL THEN
    FOR c IN SELECT * FROM json_to_recordset(p_changed) AS c (claim_id uuid, state text, place bigint, token bigint,
      confirmed boolean, step text, acquired_at timestamptz, ended_at timestamptz, end_reason text, ended_by jsonb,
      result text, renew_seq bigint)
    LOOP
      -- The counters of renewals and polls only ever count up here: others move them without the group's lock.
      UPDATE lock_claims t SET state = c.state, place = c.place, token = c.token,
        confirmed = t.confirmed OR c.confirmed, step = c.step, acquired_at = c.acquired_at, ended_at = c.ended_at,
        end_reason = c.end_reason, ended_by = c.ended_by, result = c.result, renew_seq = t.renew_seq + c.renew_seq
      WHERE t.group_name = p_group AND t.claim_id = c.claim_id;
    END LOOP;
  END IF;
  IF p_created IS NOT NULL THEN
    INSERT INTO lock_claims SELECT * FROM json_populate_recordset(NULL::lock_claims, p_created);
  END IF;
  IF p_marks IS NOT NULL THEN
    INSERT INTO lock_order_marks AS m
      SELECT p_group, n.* FROM json_to_recordset(p_marks) AS n (key text, number bigint, holder jsonb)
      ON CONFLICT (group_name, key) DO UPDATE SET number = excluded.number, holder = excluded.holder
      WHERE m.number < excluded.number;
  END IF;
  IF p_events IS NOT NULL THEN
    INSERT INTO lock_events (group_name, seq, at, kind, claim_id, fencing_token, actor, detail, prev, hash)
    SELECT p_group, e.* FROM json_to_recordset(p_events) AS e (seq bigint, at timestamptz, kind text, claim_id uuid,
      fencing_token bigint, actor text, detail jsonb, prev text, hash text);
  END IF;
  PERFORM pg_notify('fleet_lock', p_note);
END $$;
