/**
 * DBOS Transact, and all that this server knows of it: which process runs a rollout, which of its steps are done, and a
 * queue of tenants that any process may ask.
 */
import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DBOS } from '@dbos-inc/dbos-sdk';
import type { Shard, ShardAnswers } from '@tenant-fleet/fleet-core/program';
import pg from 'pg';
import type { ShardQueue, ShardSeen } from './shards.js';

/** Does a step once in the life of a rollout, whatever process gets to it. Its value is kept as JSON. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export interface Engine {
  /** Begins a rollout in this process. Again for a known one does nothing. */
  begin(id: string): Promise<void>;
  /** Asks that a process that is there goes on with a rollout, from the first step that is not done. */
  resume(id: string): Promise<void>;
  /** What is under way here is left to others. */
  close(): Promise<void>;
}

/** Another process goes on with the rollout, or the step could not be kept: nothing more is to be done for it here. */
export class NotOurs extends Error {}

export interface EngineOptions {
  databaseUrl: string;
  /** Names this process. */
  executor: string;
  /** Runs a rollout to its end; it must not reject. */
  run: (id: string, step: Step, shards: ShardQueue) => Promise<void>;
  /** Asks the tenants of a shard for whichever process has put it into the queue; it must not reject. */
  ask: (shard: Shard) => Promise<ShardAnswers>;
  log: (line: string) => void;
}

/** Schema of its tables. */
export const ENGINE_SCHEMA = 'fleet_dbos';
/**
 * Which rollouts a process may go on with: those whose steps have the same names in the same order. It grows with a
 * change of those, and not with a release.
 */
const STEPS_VERSION = 'rollouts-1';
const POOL_SIZE = 5;
const NOT_ENDED = ['ENQUEUED', 'PENDING'] as const;
const SHARD_QUEUE = 'shards';
/** Shards at the same moment in one process: while the last tenants of one are slow, the other has the processor. */
const SHARDS_HERE = 2;
/** How often a process that has time for a shard looks for one. */
const SHARD_POLL_MS = 500;
const ASK_ALONE_MS = 100;
/** A process may be taken for dead while it lives, and a rollout change hands more often than a fault would explain. */
const TAKEOVERS_MAX = 10_000;

/** Takes away what it keeps of rollouts that have ended, and of their shards, in the transaction of `client`. */
export async function forgetSteps(client: pg.ClientBase, ids: string[]): Promise<void> {
  // No row of the others goes with its workflow.
  for (const name of ['workflow_input', 'workflow_output', 'operation_outputs', 'workflow_status']) {
    const table = `${ENGINE_SCHEMA}.${name}`;
    const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
    if (rows[0]?.there)
      await client.query(`DELETE FROM ${table} WHERE split_part(workflow_uuid, '/', 1) = ANY ($1)`, [ids]);
  }
}

/**
 * Starts the engine. It is loaded here and not before: a server without rollouts does not have it in memory.
 *
 * @throws Error where it runs in this process already: it is one for a process.
 */
export async function openEngine({ databaseUrl, executor, run, ask, log }: EngineOptions): Promise<Engine> {
  const { DBOS, Error: errors } = await import('@dbos-inc/dbos-sdk');
  if (DBOS.isInitialized()) throw new Error('Only one control plane of a process can run rollouts.');
  const quiet = () => {};
  const pool = poolOf(databaseUrl);
  DBOS.setConfig({
    name: 'fleet-control-plane',
    systemDatabaseUrl: databaseUrl,
    systemDatabasePool: pool,
    systemDatabaseSchemaName: ENGINE_SCHEMA,
    executorID: executor,
    applicationVersion: STEPS_VERSION,
    logger: { info: quiet, debug: quiet, warn: quiet, error: (what) => log(`rollouts: ${String(what)}`) },
  });
  const step: Step = async (name, work) => {
    let here: { value: unknown } | { error: unknown } | undefined;
    const kept = await DBOS.runStep(
      async () => {
        try {
          here = { value: await work() };
          return { done: true, value: here.value ?? null };
        } catch (error) {
          // An error is no value to go on from: another process tries for itself.
          here = { error };
          return { done: false, value: null };
        }
      },
      { name },
    ).catch((cause) => {
      throw new NotOurs(`step ${name} is another process's`, { cause });
    });
    if (here && 'error' in here) throw here.error;
    if (here) return here.value as never;
    return (kept.done ? kept.value : await work()) as never;
  };
  const shards = shardQueue(DBOS, DBOS.registerWorkflow(ask, { name: 'shard' }));
  const workflow = DBOS.registerWorkflow(async (id: string) => run(id, step, shards), {
    name: 'rollout',
    maxRecoveryAttempts: TAKEOVERS_MAX,
  });
  await aloneIn(databaseUrl, async () => {
    await DBOS.launch();
    const limits = { workerConcurrency: SHARDS_HERE, minPollingIntervalMs: SHARD_POLL_MS };
    await DBOS.registerQueue(SHARD_QUEUE, { ...limits, onConflict: 'always_update' });
  });
  const begin = async (id: string) => {
    await DBOS.startWorkflow(workflow, { workflowID: id })(id);
  };
  return {
    begin,
    async resume(id) {
      try {
        await DBOS.resumeWorkflow(id);
      } catch (error) {
        // Its process died before it began it.
        if (!(error instanceof errors.DBOSNonExistentWorkflowError)) throw error;
        await begin(id);
      }
    },
    async close() {
      await DBOS.shutdown({ deregister: true });
      await pool.end().catch(() => {});
    },
  };
}

/** @param ask the workflow of a shard. */
function shardQueue(dbos: typeof DBOS, ask: (shard: Shard) => Promise<ShardAnswers>): ShardQueue {
  // A wave is a step, and inside of one the engine starts nothing.
  const outside = new AsyncResource('rollouts');
  const apart = <T>(work: () => Promise<T>): Promise<T> => outside.runInAsyncScope(work);
  return {
    put: (id, shard) =>
      apart(async () => {
        await dbos.startWorkflow(ask, { workflowID: id, queueName: SHARD_QUEUE })(shard);
      }),
    look: (ids) =>
      apart(async () => {
        // Of no ids at all it would list everything.
        const found = ids.length ? await dbos.listWorkflows({ workflowIDs: ids, loadInput: false }) : [];
        return new Map(found.map((one): [string, ShardSeen] => [one.workflowID, seenOf(one)]));
      }),
    // One that is under way must not be forgotten: its process would wait for its row for ever.
    forget: (id) => apart(() => dbos.deleteWorkflow(id)),
    cancel: (ids) => apart(() => dbos.cancelWorkflows(ids)),
    open: (rollout) =>
      apart(async () => {
        const status = [...NOT_ENDED];
        const kept = { loadInput: false, loadOutput: false };
        const found = await dbos.listWorkflows({ workflow_id_prefix: `${rollout}/`, status, ...kept });
        return found.map(({ workflowID }) => workflowID);
      }),
  };
}

function seenOf({
  status,
  executorId,
  output,
}: {
  status: string;
  executorId?: string;
  output?: unknown;
}): ShardSeen {
  const owner = status === 'ENQUEUED' ? null : (executorId ?? null);
  if (NOT_ENDED.some((one) => one === status)) return { owner };
  return { owner, answers: status === 'SUCCESS' ? ((output as ShardAnswers | undefined) ?? null) : null };
}

/**
 * Processes that start together bring the tables to their version one after the other: at the same time they get into a
 * deadlock. Asked for again and again, since a transaction that waits would keep `CREATE INDEX CONCURRENTLY` waiting.
 */
async function aloneIn(connectionString: string, work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const query = 'SELECT pg_try_advisory_lock(hashtext($1)) AS alone';
    while (!(await client.query(query, [ENGINE_SCHEMA])).rows[0].alone) await sleep(ASK_ALONE_MS);
    await work();
  } finally {
    await client.end();
  }
}

function poolOf(connectionString: string): pg.Pool {
  // It sends statements without waiting for the one before, and that has to be said.
  const config: pg.PoolConfig & { pipeline: boolean } = {
    connectionString,
    max: POOL_SIZE,
    connectionTimeoutMillis: 2000,
    application_name: 'fleet-control-plane rollouts',
    pipeline: true,
  };
  const pool = new pg.Pool(config);
  // An idle connection that dies is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}
