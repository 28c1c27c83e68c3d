/** Tells people how a run goes: commit status, alert issue, webhook. Nothing here changes a verdict. */

import { type CommitState, type CommitStatus, Gitea } from '../clients/gitea/gitea.js';
import { GiteaIssues } from '../clients/gitea/issues.js';
import type { GiteaOptions } from '../clients/gitea/request.js';
import type { Config } from '../config/config.js';
import { issueUrlOf } from '../config/links.js';
import type { RunContext } from '../context.js';
import type { FleetError } from '../errors.js';
import { type Emit, Emitter } from '../events/emitter.js';
import { isWebAddress } from '../io/address.js';
import { type Ports, systemPorts } from '../ports.js';
import { targetOf } from '../render/event.js';
import { verdictOf } from '../render/result.js';
import { buildResult } from '../report/build-result.js';
import type { FleetResult } from '../result/result.js';
import { Ledger } from '../verify/ledger.js';
import { settleKilled, settleOwn, showStatus, statusContext } from './commit-status.js';
import { NotAnnounced } from './fault.js';
import { closeAlert, raiseAlert, type Told } from './issue.js';
import { announcementsOf, mayAnnounce } from './plan.js';
import { alertBody, alertTitle, chatFailure, chatRecovery, failureComment, recoveryComment } from './text.js';
import { tellChat } from './webhook.js';

export interface AnnounceIo {
  config: Config;
  ports: Ports;
  emit: Emit;
}

/** What people wait for at most, after the verdict. */
export const END_MS = 20_000;
/** The roll waits for this one. */
const START_MS = 10_000;
const CALL_MS = 8_000;
const WAITS_MS = [500, 2_000] as const;

/** Shows on the commit that its roll has begun; a run that is killed leaves that behind. Never rejects. */
export async function announceStart(io: AnnounceIo, signal: AbortSignal): Promise<void> {
  const { config, ports } = io;
  if (!mayAnnounce(config) || !config.announcing.commitStatus) return;
  const limit = limitOf(ports, START_MS, [signal]);
  const text = `rolling to ${targetOf({ target_tag: config.targetTag, expected_sha: config.expectedSha })}`;
  await attempt(io, limit, 'commit status', async () => {
    await show(io, limit.signal, 'pending', text);
  });
  limit.end();
}

/**
 * Announces how a run ended, as far as it is configured and allowed to. Never rejects, and takes 20 s at most.
 *
 * @param stops Signals that end it at once.
 */
export async function announceEnd(io: AnnounceIo, result: FleetResult, stops: AbortSignal[]): Promise<void> {
  const { config, ports, emit } = io;
  if (!mayAnnounce(config)) return;
  const { announcing } = config;
  const { status, alert } = announcementsOf(result);
  const limit = limitOf(ports, END_MS, stops);
  const { signal } = limit;
  const runUrl = runUrlOf(config);
  const chat = async (about: 'failure' | 'recovery', text: string) => {
    if (!announcing.webhook) return;
    await tellChat({ url: announcing.webhook, http: ports.http, clock: ports.clock, signal }, text);
    emit({ code: 'alert.sent', about });
  };
  const work: Promise<void>[] = [];
  // Side by side: a server that hangs must not keep the other from being told.
  const start = (what: string, one: () => Promise<void>) => void work.push(attempt(io, limit, what, one));
  if (status && announcing.commitStatus) {
    start('commit status', async () => {
      const shown = await show(io, signal, status, verdictOf(result));
      if (shown) await settle(io, signal, result, shown);
    });
  }
  if (alert && announcing.issue) {
    start('alert issue', async () => {
      const told = await tellIssue(io, signal, result, alert);
      if (told?.action === 'closed')
        await chat('recovery', chatRecovery(announcing.name, told.state, result, runUrl));
    });
  }
  if (alert === 'raise') {
    start('webhook', () => chat('failure', chatFailure(announcing.name, result, runUrl)));
  }
  await Promise.all(work);
  limit.end();
}

/** Ends the `pending` that a run left which was cut off, by what is left of its settings. Never rejects. */
export async function announceCutOff(config: Config, context: RunContext = {}): Promise<void> {
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  const io = { config, ports, emit: emitter.emit };
  const { gitea, announcing, expectedSha: sha } = config;
  if (mayAnnounce(config) && gitea && announcing.commitStatus && sha) {
    const limit = limitOf(ports, START_MS, context.signal ? [context.signal] : []);
    await attempt(io, limit, 'commit status', async () => {
      const status = statusIo(io, gitea, limit.signal);
      const settled = await settleOwn(status, sha);
      if (settled) io.emit({ code: 'status.shown', context: status.context, state: 'error', sha });
    });
    limit.end();
  }
  emitter.close();
}

/**
 * Announces a run that never began, since its settings are no good. Never rejects.
 *
 * @param config What could be read of them: `loadConfig('announce', ...)`.
 */
export async function announceUnstarted(
  config: Config,
  error: FleetError,
  context: RunContext = {},
): Promise<void> {
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  const now = ports.clock.wall();
  const result = buildResult({
    outcome: 'refused',
    reason: `the run did not begin: ${error.message}`,
    next: error.next ? [error.next] : [],
    environment: config.environment ?? undefined,
    targetTag: config.targetTag || undefined,
    expectedSha: config.expectedSha ?? undefined,
    ...{ startedAt: now, finishedAt: now, lock: null, branch: null, calls: [], timeline: [], warnings: [] },
    ledger: new Ledger(config.expectedSha, 1, []),
    askedBy: config.askedBy,
  });
  await announceEnd({ config, ports, emit: emitter.emit }, result, context.signal ? [context.signal] : []);
  emitter.close();
}

async function tellIssue(
  io: AnnounceIo,
  signal: AbortSignal,
  result: FleetResult,
  alert: 'raise' | 'close',
): Promise<Told | null> {
  const { config, emit } = io;
  const { announcing, gitea } = config;
  if (!gitea) return null;
  const told = await (alert === 'raise' ? raiseAlert : closeAlert)({
    issues: new GiteaIssues(clientOf(io, gitea, signal)),
    environment: announcing.name,
    says: {
      at: result.finished_at,
      title: alertTitle(announcing.name, result),
      body: (state) => alertBody(state, result),
      failure: (state) => failureComment(state, result),
      recovery: (state) => recoveryComment(state, result, runUrlOf(config)),
    },
    runUrl: runUrlOf(config),
    warn: (reason) => emit({ code: 'warning', reason }),
  });
  if (told) {
    const { action, number, state } = told;
    const url = issueUrlOf(announcing.webUrl ?? gitea.url, gitea.repository, number);
    emit({ code: 'alert.issue', action, number, url, runs: state.runs, since: state.since });
  }
  return told;
}

async function show(
  io: AnnounceIo,
  signal: AbortSignal,
  state: CommitState,
  description: string,
): Promise<CommitStatus | null> {
  const { config, emit } = io;
  if (!config.gitea || !config.expectedSha) return null;
  const status = statusIo(io, config.gitea, signal);
  const shown = await showStatus(status, config.expectedSha, state, description);
  emit({ code: 'status.shown', context: status.context, state, sha: config.expectedSha });
  return shown;
}

async function settle(
  io: AnnounceIo,
  signal: AbortSignal,
  result: FleetResult,
  shown: CommitStatus,
): Promise<void> {
  const { config, emit } = io;
  if (!config.gitea) return;
  const status = statusIo(io, config.gitea, signal);
  await settleKilled(status, result, shown, config.timeoutMs, (sha) =>
    emit({ code: 'status.shown', context: status.context, state: 'error', sha }),
  );
}

const statusIo = (io: AnnounceIo, gitea: NonNullable<Config['gitea']>, signal: AbortSignal) => ({
  gitea: new Gitea(clientOf(io, gitea, signal)),
  context: statusContext(io.config.announcing),
  runUrl: runUrlOf(io.config),
});

export const clientOf = (
  { ports }: Pick<AnnounceIo, 'ports'>,
  gitea: NonNullable<Config['gitea']>,
  signal: AbortSignal,
): GiteaOptions => ({
  ...gitea,
  http: ports.http,
  signal,
  timeoutMs: CALL_MS,
  retry: { clock: ports.clock, waitsMs: WAITS_MS },
});

export const runUrlOf = ({ trigger }: Config): string | null =>
  isWebAddress(trigger.runUrl) ? trigger.runUrl : null;

interface Limit {
  signal: AbortSignal;
  late: () => string;
  end: () => void;
}

/** A time limit of its own: that of the run may be over. */
export function limitOf({ clock }: Ports, ms: number, stops: AbortSignal[]): Limit {
  const deadline = new AbortController();
  const end = clock.timer(ms, () => deadline.abort());
  return {
    signal: AbortSignal.any([deadline.signal, ...stops]),
    late: () => (deadline.signal.aborted ? `no answer within ${ms / 1000}s` : 'stopped'),
    end,
  };
}

/** Whatever goes wrong is one warning. */
export async function attempt(
  { emit }: AnnounceIo,
  limit: Limit,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const late = limit.signal.aborted ? limit.late() : 'unexpected failure';
    const why = error instanceof NotAnnounced ? error.message : late;
    emit({ code: 'warning', reason: `${what} not announced: ${why}` });
  }
}
