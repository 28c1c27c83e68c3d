import { DatabaseError } from 'pg';
import { expect, it } from 'vitest';
import { databaseProblem } from '../../src/http/database-problem.js';

it.each([
  ['53100', 'database_full'],
  ['53000', 'database_exhausted'],
  ['53200', 'database_exhausted'],
  ['53300', 'busy'],
  ['55P03', 'busy'],
  ['57P03', 'database_unavailable'],
  ['08006', 'database_unavailable'],
  ['23505', undefined],
])('a database error %s is called %s', (code, called) => {
  const error = Object.assign(new DatabaseError('could not extend file', 1, 'error'), { code });
  expect(databaseProblem(error)?.code).toBe(called);
});

it.each([
  ['ENOSPC', 'database_full'],
  ['ECONNREFUSED', 'database_unavailable'],
  ['EACCES', undefined],
])('a system error %s is called %s', (code, called) => {
  expect(databaseProblem(Object.assign(new Error('write'), { code }))?.code).toBe(called);
});
