-- The one lock group that guards the fleet of this database: servers that disagreed would let two rolls overlap.
CREATE TABLE fleet_guard (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  lock_group text NOT NULL
);
