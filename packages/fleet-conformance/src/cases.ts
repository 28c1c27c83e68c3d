import type { Case } from './case.js';
import { claims } from './cases/claims.js';
import { fence } from './cases/fence.js';
import { order } from './cases/order.js';
import { people } from './cases/people.js';
import { queue } from './cases/queue.js';
import { redeploy } from './cases/redeploy.js';
import { rollouts } from './cases/rollouts.js';
import { serverRollouts } from './cases/server-rollouts.js';

/** Every case, in the order of the contract. */
export const CASES: readonly Case[] = [
  ...redeploy,
  ...claims,
  ...queue,
  ...order,
  ...people,
  ...rollouts,
  ...fence,
  ...serverRollouts,
];
