-- The states of a claim as a domain: a check constraint is read and parsed anew by every statement that writes a claim.
DROP VIEW IF EXISTS lock_claim_view;
ALTER TABLE lock_claims DROP CONSTRAINT lock_claims_state_check;
CREATE DOMAIN lock_claim_state AS text CHECK (VALUE IN
  ('queued', 'held', 'released', 'left', 'lost', 'broken', 'abandoned', 'superseded', 'outdated'));
ALTER TABLE lock_claims ALTER COLUMN state TYPE lock_claim_state;

-- A claim under the names that the code uses; simple enough to be updated through.
CREATE VIEW lock_claim_view AS
  SELECT group_name AS "group", claim_id AS "claimId", state, session, fingerprint, holder,
    ttl_seconds AS "ttlSeconds", max_hold_seconds AS "maxHoldSeconds", order_key AS "orderKey",
    order_number AS "orderNumber", place, token, confirmed, renew_seq AS "renewSeq", poll_seq AS "pollSeq",
    held_ms AS "heldMs", step, queued_at AS "queuedAt", acquired_at AS "acquiredAt", ended_at AS "endedAt",
    end_reason AS "endReason", ended_by AS "endedBy", result
  FROM lock_claims;

-- The live claims of a group by their places. What looks up one claim asks for its state and not for `ended_at`: were
-- the condition of this index in such a query, the planner might walk through the whole queue instead of the key.
DROP INDEX lock_claims_live, lock_claims_place_once;
CREATE UNIQUE INDEX lock_claims_live ON lock_claims (group_name, place) WHERE ended_at IS NULL;

-- Claims and events are only ever written together with the row of their group.
ALTER TABLE lock_claims DROP CONSTRAINT lock_claims_group_name_fkey;
ALTER TABLE lock_events DROP CONSTRAINT lock_events_group_name_fkey;

-- A control plane that knows nothing of stamps would change the state behind the back of one that does: the functions
-- that it called are gone.
DROP FUNCTION IF EXISTS fleet_lock_read;
DROP FUNCTION IF EXISTS fleet_lock_write;

-- The first half of a transition: locks the group's row, then reads what the rules look at. Each statement of a
-- volatile function sees what was committed before it began, so nothing read here is older than the row lock. Of the
-- queue it returns the head, and all waiters of one order key.
CREATE FUNCTION fleet_lock_read(p_group text, p_subject uuid, p_key text, p_lock uuid[], p_head integer)
RETURNS json LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  g lock_groups;
BEGIN
  SELECT * INTO g FROM lock_groups WHERE name = p_group FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO lock_groups (name) VALUES (p_group) ON CONFLICT DO NOTHING;
    SELECT * INTO g FROM lock_groups WHERE name = p_group FOR UPDATE;
  END IF;
  IF p_lock IS NOT NULL THEN
    PERFORM 1 FROM lock_claims WHERE group_name = p_group AND claim_id = ANY (p_lock) FOR UPDATE;
  END IF;
  RETURN json_build_object(
    'name', g.name, 'stamp', g.stamp, 'version', g.version, 'lastToken', g.last_token, 'lastPlace', g.last_place,
    'lastEvent', g.last_event, 'frozen', g.frozen, 'now', clock_timestamp(), 'timeline', fleet_lock_timeline(),
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

-- The second half: writes what the rules decided on the state with this stamp, and tells the other replicas. False,
-- and nothing written, when the state is another one by now; on a promoted standby a state with the same stamp may lack
-- later grants of the lost server. Of what changed, what ends comes first, so that its place and its hold are free when
-- the indexes look at who comes after.
CREATE FUNCTION fleet_lock_write(p_group text, p_stamp uuid, p_timeline integer, p_next uuid, p_version bigint,
  p_last_token bigint, p_last_place bigint, p_last_event bigint, p_frozen jsonb, p_changed json, p_created json,
  p_events json, p_note text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  c record;
  written integer;
  changed boolean := true;
BEGIN
  UPDATE lock_groups SET stamp = p_next, version = p_version, last_token = p_last_token, last_place = p_last_place,
    last_event = p_last_event, frozen = p_frozen
  WHERE name = p_group AND stamp = p_stamp AND p_timeline = fleet_lock_timeline();
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF p_changed IS NOT NULL THEN
    FOR c IN SELECT * FROM json_to_recordset(p_changed) AS c (claim_id uuid, state text, place bigint, token bigint,
      confirmed boolean, step text, acquired_at timestamptz, ended_at timestamptz, end_reason text, ended_by jsonb,
      result text, renew_seq bigint, renewed_at timestamptz)
    LOOP
      -- The counters of renewals and polls only ever count up here: others move them without the group's lock.
      UPDATE lock_claims t SET state = c.state, place = c.place, token = c.token,
        confirmed = t.confirmed OR c.confirmed, step = c.step, acquired_at = c.acquired_at, ended_at = c.ended_at,
        end_reason = c.end_reason, ended_by = c.ended_by, result = c.result,
        renew_seq = t.renew_seq + c.renew_seq, renewed_at = coalesce(c.renewed_at, t.renewed_at)
      WHERE t.group_name = p_group AND t.claim_id = c.claim_id AND t.state IN ('queued', 'held');
      changed := changed AND FOUND;
    END LOOP;
  END IF;
  IF p_created IS NOT NULL THEN
    INSERT INTO lock_claims SELECT * FROM json_populate_recordset(NULL::lock_claims, p_created)
      ON CONFLICT (group_name, claim_id) DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
    changed := changed AND written = json_array_length(p_created);
  END IF;
  IF NOT changed THEN
    -- An id that an ended claim has, or claims that were changed by hand.
    RAISE EXCEPTION 'claims of lock group % are not what they were', p_group USING ERRCODE = 'serialization_failure';
  END IF;
  IF p_events IS NOT NULL THEN
    INSERT INTO lock_events (group_name, seq, kind, claim_id, fencing_token, actor, detail)
    SELECT p_group, e.* FROM json_to_recordset(p_events)
      AS e (seq bigint, kind text, claim_id uuid, fencing_token bigint, actor text, detail jsonb);
  END IF;
  PERFORM pg_notify('fleet_lock', p_note);
  RETURN true;
END $$;
