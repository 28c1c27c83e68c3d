/** Watches a fleet between its rollouts: one look, what is not well, and who is told of it. Rolls nothing. */
import { announceLook } from '../announce/watch.js';
import { Gitea } from '../clients/gitea/gitea.js';
import { whyNot } from '../clients/gitea/request.js';
import type { Config } from '../config/config.js';
import { refuse } from '../config/trust.js';
import type { RunContext } from '../context.js';
import type { RolloutEntry } from '../contract.js';
import { isFleetError } from '../errors.js';
import { Emitter } from '../events/emitter.js';
import { type Ports, systemPorts } from '../ports.js';
import type { FleetStatus } from '../result/status.js';
import { WATCH_SCHEMA, type WatchReport } from '../result/watch.js';
import { recordsOf } from '../status/history.js';
import { readStatus } from '../status/status.js';
import { oneLine } from '../text/sanitize.js';
import { findingsOf } from './judge.js';

const CALL_MS = 10_000;
/** Commits without a proof that are looked at, from the head of the branch on. */
const MOST_COMMITS = 20;

/**
 * Looks once, and tells people as far as that is configured: the alert is raised by what is found, and closed by the
 * next look that finds nothing.
 *
 * @param config Of the command `watch`.
 * @throws FleetError `GATE_REFUSED` where no secret may be sent; the reason of `context.signal`.
 */
export async function watchFleet(config: Config, context: RunContext = {}): Promise<WatchReport> {
  refuse(config);
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  try {
    const status = await readStatus(config, context);
    const unwatched: string[] = [];
    const record = await readRecord(config, context, status).catch((error) => {
      if (!isFleetError(error) || error.code === 'INTERNAL') throw error;
      unwatched.push(`drift and quarantine, by the record: ${error.message}`);
      return { proven: null, lastStart: null };
    });
    const provenSha = record.proven?.rollout.expected_sha?.toLowerCase() ?? null;
    const waiting = await greenCommits(config, ports, provenSha, context.signal, unwatched);
    const seen = { status, ...record, waiting, now: ports.clock.wall() };
    const findings = findingsOf(seen, config.watch);
    const report: WatchReport = {
      schema: WATCH_SCHEMA,
      at: status.at,
      environment: config.environment,
      findings,
      unwatched,
      proven_sha: provenSha,
      warnings: [],
      exit_code: status.tenants.known ? (findings.length ? 1 : 0) : 5,
    };
    const io = { config, ports, emit: emitter.emit };
    await announceLook(io, report, context.signal ? [context.signal] : []);
    return { ...report, warnings: [...emitter.warnings] };
  } finally {
    emitter.close();
  }
}

async function readRecord(
  config: Config,
  context: RunContext,
  { tenants }: FleetStatus,
): Promise<{ proven: RolloutEntry | null; lastStart: string | null }> {
  if (!config.lock || !tenants.known) return { proven: null, lastStart: null };
  const records = recordsOf(config, context);
  const [newest, proof] = await Promise.all([records.list({ limit: 1 }), records.lastProof()]);
  return {
    proven: proof && (await records.one(proof.claim_id)),
    lastStart: newest[0]?.started_at ?? null,
  };
}

/** Green commits of the branch that are newer than the proven one, the oldest first; null where that is not known. */
async function greenCommits(
  { gitea: access, branch, requireContexts }: Config,
  { http }: Ports,
  proven: string | null,
  signal: AbortSignal = new AbortController().signal,
  unwatched: string[],
): Promise<{ sha: string; since: string }[] | null> {
  if (!access || !branch || !proven) {
    const missing = !proven ? 'no proven rollout is on record' : 'no Gitea, token or branch is configured';
    unwatched.push(`commits that wait: ${missing}`);
    return null;
  }
  const gitea = new Gitea({ ...access, http, signal, timeoutMs: CALL_MS });
  const unread = (why: string) => {
    unwatched.push(`commits that wait: ${oneLine(branch, 80)} cannot be read: ${why}`);
    return null;
  };
  const head = await gitea.branchHead(branch);
  if (head.kind !== 'read') return unread(whyNot(head));
  const line = await gitea.line(head.value);
  if (line.kind !== 'read') return unread(whyNot(line));
  const end = line.value.findIndex(({ sha }) => sha === proven);
  const green: { sha: string; since: string }[] = [];
  for (const { sha, at } of line.value.slice(0, end < 0 ? MOST_COMMITS : Math.min(end, MOST_COMMITS))) {
    const since = requireContexts.length ? await greenSince(gitea, sha, requireContexts) : at;
    if (since) green.unshift({ sha, since });
  }
  return green;
}

/** When the last of the required checks became green; null: one is not. */
async function greenSince(gitea: Gitea, sha: string, contexts: readonly string[]): Promise<string | null> {
  const read = await gitea.statuses(sha);
  if (read.kind !== 'read') return null;
  const rows = contexts.map((context) => read.value.get(context));
  if (rows.some((row) => (row?.status ?? row?.state) !== 'success')) return null;
  return (
    rows
      .map((row) => row?.created_at ?? '')
      .sort()
      .at(-1) || null
  );
}
