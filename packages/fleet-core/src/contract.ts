/**
 * The wire contract of the control plane and of the tenants, as schemas that client and server share: a file for each
 * thing that is asked.
 *
 * Answers accept unknown fields, since a control plane may grow. Requests of the lock drop them, since a client may be
 * newer than its server. The roll request alone is strict: a restriction that is not understood would roll more.
 */
export * from './contract/buildinfo.js';
export * from './contract/claim.js';
export * from './contract/lock.js';
export * from './contract/problem.js';
export * from './contract/redeploy.js';
export * from './contract/rollouts.js';
export * from './contract/server-rollouts.js';
export * from './contract/words.js';
