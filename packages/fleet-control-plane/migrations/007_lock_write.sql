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
