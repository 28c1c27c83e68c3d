-- An open roll whose end this side did not see, as behind a gateway, and why: `unavailable` is the answer of an upstream
-- that hardly began it, `lost` is no answer at all. It counts as running until tenants show its end, or its longest time
-- is over.
ALTER TABLE rolls ADD COLUMN unseen text CHECK (unseen IN ('unavailable', 'lost'));
-- Seconds that it may take at the longest.
ALTER TABLE rolls ADD COLUMN may_last_seconds integer;
-- The commit, or its first digits, that every tenant of the roll answers once it has had its effect; null where answers
-- show nothing.
ALTER TABLE rolls ADD COLUMN settle_sha text;

-- The holder of the roll may send it again meanwhile.
DROP INDEX rolls_one_open;
CREATE UNIQUE INDEX rolls_one_open ON rolls (group_name)
  WHERE ended_at IS NULL AND fencing_token IS NOT NULL AND unseen IS NULL;

-- What a gateway has found out about its upstream: whether it answers a dry run with a plan, and rolls nothing.
CREATE TABLE gateway_upstreams (
  url text PRIMARY KEY,
  plans boolean NOT NULL
);
