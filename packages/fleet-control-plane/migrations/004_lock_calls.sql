-- A claim under the names that the code uses; simple enough to be updated through.
CREATE VIEW lock_claim_view AS
  SELECT group_name AS "group", claim_id AS "claimId", state, session, fingerprint, holder,
    ttl_seconds AS "ttlSeconds", max_hold_seconds AS "maxHoldSeconds", order_key AS "orderKey",
    order_number AS "orderNumber", place, token, confirmed, renew_seq AS "renewSeq", poll_seq AS "pollSeq",
    held_ms AS "heldMs", step, queued_at AS "queuedAt", acquired_at AS "acquiredAt", ended_at AS "endedAt",
    end_reason AS "endReason", ended_by AS "endedBy", result
  FROM lock_claims;

-- The first half of a transition in one call: locks the group's row, then reads what the rules look at. Each
-- statement of a volatile function sees what was committed before it began, so nothing read here is older than the
-- row lock. Of the queue it returns the head, and all waiters of one order key.
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
    'name', g.name, 'version', g.version, 'lastToken', g.last_token, 'lastPlace', g.last_place,
    'lastEvent', g.last_event, 'frozen', g.frozen, 'now', clock_timestamp(),
    'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,
    'waitingCount', (SELECT count(*) FROM lock_claims WHERE group_name = p_group AND state = 'queued'),
    'held', (SELECT row_to_json(c) FROM lock_claim_view c WHERE "group" = p_group AND state = 'held'),
    'subject', (SELECT row_to_json(c) FROM lock_claim_view c WHERE "group" = p_group AND "claimId" = p_subject),
    'waiting', (SELECT coalesce(json_agg(row_to_json(c)), '[]') FROM (
      (SELECT * FROM lock_claim_view WHERE "group" = p_group AND state = 'queued' ORDER BY place LIMIT p_head)
      UNION
      (SELECT * FROM lock_claim_view WHERE p_key IS NOT NULL AND "group" = p_group AND state = 'queued'
        AND "orderKey" = p_key)) c),
    'marks', (SELECT coalesce(json_agg(row_to_json(m)), '[]') FROM lock_order_marks m
      WHERE group_name = p_group AND (key = p_key OR key IN
        (SELECT order_key FROM lock_claims WHERE group_name = p_group AND state = 'queued'))));
END $$;

-- The second half: writes what the rules decided, and tells the other replicas. What ends is written first, so that
-- its place and its hold are free when the indexes look at who comes after.
CREATE FUNCTION fleet_lock_write(p_group text, p_change jsonb, p_note text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  part text;
BEGIN
  UPDATE lock_groups SET version = (p_change->>'version')::bigint, last_token = (p_change->>'last_token')::bigint,
    last_place = (p_change->>'last_place')::bigint, last_event = (p_change->>'last_event')::bigint,
    frozen = nullif(p_change->'frozen', 'null')
  WHERE name = p_group;
  FOREACH part IN ARRAY ARRAY['ended', 'created', 'live'] LOOP
    CONTINUE WHEN NOT p_change ? part;
    IF part = 'created' THEN
      INSERT INTO lock_claims SELECT * FROM jsonb_populate_recordset(NULL::lock_claims, p_change->part);
    ELSE
      -- The counters of renewals and polls only ever count up here: others move them without the group's lock.
      UPDATE lock_claims t SET state = c.state, place = c.place, token = c.token,
        confirmed = t.confirmed OR c.confirmed, step = c.step, acquired_at = c.acquired_at, ended_at = c.ended_at,
        end_reason = c.end_reason, ended_by = nullif(c.ended_by, 'null'), result = c.result,
        renew_seq = t.renew_seq + c.renew_seq, renewed_at = coalesce(c.renewed_at, t.renewed_at)
      FROM jsonb_populate_recordset(NULL::lock_claims, p_change->part) c
      WHERE t.group_name = p_group AND t.claim_id = c.claim_id AND t.state IN ('queued', 'held');
    END IF;
  END LOOP;
  IF p_change ? 'events' THEN
    INSERT INTO lock_events (group_name, seq, kind, claim_id, fencing_token, actor, detail)
    SELECT p_group, seq, kind, claim_id, fencing_token, actor, nullif(detail, 'null')
    FROM jsonb_populate_recordset(NULL::lock_events, p_change->'events');
  END IF;
  PERFORM pg_notify('fleet_lock', p_note);
END $$;
