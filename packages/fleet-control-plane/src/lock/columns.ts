/** A claim's columns under the names of `Claim`. */
export const CLAIM_COLUMNS = `claim_id AS "claimId", state, session, fingerprint, holder,
  ttl_seconds AS "ttlSeconds", max_hold_seconds AS "maxHoldSeconds", order_key AS "orderKey",
  order_number AS "orderNumber", place, token, confirmed, renew_seq AS "renewSeq", poll_seq AS "pollSeq",
  held_ms AS "heldMs", step, queued_at AS "queuedAt", acquired_at AS "acquiredAt", ended_at AS "endedAt",
  end_reason AS "endReason", ended_by AS "endedBy", result`;
