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
