-- One row per lock group. Every transition locks this row FOR UPDATE: it is the serialisation point.
CREATE TABLE lock_groups (
  name text PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0,
  last_token bigint NOT NULL DEFAULT 0,
  last_place bigint NOT NULL DEFAULT 0,
  last_event bigint NOT NULL DEFAULT 0,
  frozen jsonb
);

CREATE TABLE lock_claims (
  group_name text NOT NULL REFERENCES lock_groups (name),
  claim_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN
    ('queued', 'held', 'released', 'left', 'lost', 'broken', 'abandoned', 'superseded', 'outdated')),
  session text NOT NULL,
  fingerprint text NOT NULL,
  holder jsonb NOT NULL,
  ttl_seconds double precision NOT NULL,
  max_hold_seconds double precision,
  order_key text,
  order_number bigint,
  place bigint NOT NULL,
  token bigint,
  confirmed boolean NOT NULL DEFAULT false,
  renew_seq bigint NOT NULL DEFAULT 0,
  poll_seq bigint NOT NULL DEFAULT 0,
  held_ms bigint NOT NULL DEFAULT 0,
  step text,
  queued_at timestamptz NOT NULL DEFAULT now(),
  acquired_at timestamptz,
  ended_at timestamptz,
  end_reason text,
  ended_by jsonb,
  result text,
  PRIMARY KEY (group_name, claim_id)
);

-- The rules already give each of these; the database refuses to commit the day they do not.
CREATE UNIQUE INDEX lock_claims_one_holder ON lock_claims (group_name) WHERE state = 'held';
CREATE UNIQUE INDEX lock_claims_token_once ON lock_claims (group_name, token) WHERE token IS NOT NULL;
CREATE UNIQUE INDEX lock_claims_place_once ON lock_claims (group_name, place) WHERE state = 'queued';
CREATE INDEX lock_claims_live ON lock_claims (group_name, place) WHERE state IN ('queued', 'held');

-- The highest order of each key that ever started a real roll.
CREATE TABLE lock_order_marks (
  group_name text NOT NULL REFERENCES lock_groups (name),
  key text NOT NULL,
  number bigint NOT NULL,
  holder jsonb NOT NULL,
  PRIMARY KEY (group_name, key)
);

CREATE TABLE lock_events (
  group_name text NOT NULL REFERENCES lock_groups (name),
  seq bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  kind text NOT NULL,
  claim_id uuid,
  fencing_token bigint,
  actor text,
  detail jsonb,
  PRIMARY KEY (group_name, seq)
);
