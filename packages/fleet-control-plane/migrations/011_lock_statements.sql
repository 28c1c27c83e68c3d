-- The statements of a transition stand in src/lock/store/store.ts. A server from before, which calls these functions,
-- fails where it would change the lock behind the rules of this one.
DROP FUNCTION IF EXISTS fleet_lock_read, fleet_lock_write;
