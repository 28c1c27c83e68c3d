-- Open rolls of a group, for every answer of its lock.
CREATE INDEX rolls_open ON rolls (group_name) WHERE ended_at IS NULL;
CREATE FUNCTION fleet_open_rolls(p_group text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(json_build_object('token', fencing_token, 'slugs', slugs,
    'sinceSeconds', extract(epoch FROM clock_timestamp() - started_at)) ORDER BY id), '[]')
  FROM rolls WHERE group_name = p_group AND ended_at IS NULL
$$;

-- Whoever closes a roll: those who watch the lock see that it drains no longer. The group's row is locked after the
-- roll's; a transition that holds the row meanwhile still sees the roll open, and waits for no roll.
CREATE FUNCTION fleet_roll_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lock_groups SET version = version + 1 WHERE name = NEW.group_name;
  PERFORM pg_notify('fleet_lock',
    json_build_object('from', '', 'group', NEW.group_name, 'claims', '[]'::json, 'wakeAll', false)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER fleet_roll_ended AFTER UPDATE OF ended_at ON rolls
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION fleet_roll_ended();

-- What each run left behind. Lists read the summary alone: the tenants of a large fleet are megabytes.
CREATE TABLE lock_rollouts (
  group_name text NOT NULL,
  claim_id uuid NOT NULL,
  fencing_token bigint NOT NULL,
  summary jsonb NOT NULL,
  tenants jsonb,
  slugs jsonb,
  -- Came with the release: nothing that is late takes its place.
  final boolean NOT NULL DEFAULT false,
  PRIMARY KEY (group_name, claim_id)
);
CREATE UNIQUE INDEX lock_rollouts_newest ON lock_rollouts (group_name, fencing_token);

-- Where the tokens of a group begin that nobody had named when the database was restored from a backup.
CREATE TABLE lock_restores (
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  floor bigint NOT NULL
);

-- As before, with the open rolls.
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
    'lastEvent', g.last_event, 'frozen', g.frozen, 'now', clock_timestamp(), 'timeline', fleet_lock_timeline(),
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

-- As before, with the marks that a transition raised; a mark never sinks.
DROP FUNCTION fleet_lock_write;
CREATE FUNCTION fleet_lock_write(p_group text, p_version bigint, p_last_token bigint, p_last_place bigint,
  p_last_event bigint, p_frozen jsonb, p_changed json, p_created json, p_events json, p_marks json, p_note text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  c record;
BEGIN
  UPDATE lock_groups SET version = p_version, last_token = p_last_token, last_place = p_last_place,
    last_event = p_last_event, frozen = p_frozen
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
    INSERT INTO lock_events (group_name, seq, kind, claim_id, fencing_token, actor, detail)
    SELECT p_group, e.* FROM json_to_recordset(p_events)
      AS e (seq bigint, kind text, claim_id uuid, fencing_token bigint, actor text, detail jsonb);
  END IF;
  PERFORM pg_notify('fleet_lock', p_note);
END $$;
