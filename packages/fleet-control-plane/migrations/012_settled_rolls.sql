-- Keys of roll requests that start nothing any more, however late one arrives: their holder has given them up. A key is
-- of use only under the token that it was sent with, so it goes when a newer token gives up its own.
CREATE TABLE rolls_given_up (
  idempotency_key text PRIMARY KEY,
  group_name text NOT NULL,
  fencing_token bigint NOT NULL
);
