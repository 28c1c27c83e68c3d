-- Rollouts that the servers run themselves. What DBOS keeps of their steps stands in a schema of its own.
CREATE TABLE rollouts (
  id uuid PRIMARY KEY,
  idempotency_key text NOT NULL UNIQUE,
  fingerprint text NOT NULL,
  environment text NOT NULL,
  group_name text NOT NULL,
  -- The order as it came.
  request jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'running', 'pausing', 'paused', 'ended')),
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz,
  -- The process that runs it, and how many have: a process whose number is not the newest writes nothing any more.
  owner uuid NOT NULL,
  attempt integer NOT NULL DEFAULT 0,
  asked_at timestamptz,
  -- The claim of the lock, and the session that proves it.
  claim_id uuid,
  session text,
  -- What a person wants: {kind, actor, reason, at}.
  wish jsonb,
  paused_at timestamptz,
  outcome text,
  reason text,
  result jsonb
);
CREATE INDEX rollouts_open ON rollouts (owner) WHERE state <> 'ended';
CREATE INDEX rollouts_newest ON rollouts (created_at);

CREATE TABLE rollout_events (
  rollout_id uuid NOT NULL REFERENCES rollouts ON DELETE CASCADE,
  n integer NOT NULL,
  event jsonb NOT NULL,
  PRIMARY KEY (rollout_id, n)
);
