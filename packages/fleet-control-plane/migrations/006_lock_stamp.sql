-- A promotion raises the timeline; tokens are taken from it.
CREATE FUNCTION fleet_lock_timeline() RETURNS integer LANGUAGE sql VOLATILE
RETURN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int;
