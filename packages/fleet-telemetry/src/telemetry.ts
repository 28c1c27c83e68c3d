/** A run as spans and metrics, read off its events. */
import { type Attributes, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FleetEvent, FleetResult, Http } from '@tenant-fleet/fleet-core';
import type { Config, Env } from '@tenant-fleet/fleet-core/config';
import { type RunResult, recordResult, recordRun } from './metrics.js';
import { startSdk } from './sdk.js';
import { childContext, parentOf, traceparentOf } from './traceparent.js';

export interface Surroundings {
  env: Env;
  version: string;
  config: Pick<Config, 'environment' | 'expectedSha' | 'targetTag' | 'trigger' | 'lock'>;
  /** The pipeline, as `fleet redeploy`. */
  name: string;
  /** Told where what was gathered could not be sent; a run does not depend on it. */
  warn: (text: string) => void;
}

export interface Telemetry {
  /** Names the trace for a child process: TRACEPARENT. */
  readonly childEnv: Readonly<Record<string, string>>;
  follow(event: FleetEvent): void;
  /** The same port; each request names the part of the run that it belongs to. */
  traced(http: Http): Http;
  /** Sends what was gathered, within seconds. @param exitCode Of what has no result: the command under a lock. */
  end(exitCode?: number): Promise<void>;
}

/** How a run came out, in the words of the conventions. */
const RESULTS: Record<FleetResult['outcome'], RunResult> = {
  succeeded: 'success',
  succeeded_with_quarantine: 'success',
  planned: 'success',
  // Whatever comes of it comes from the server.
  handed_over: 'skip',
  superseded: 'skip',
  held: 'skip',
  failed: 'failure',
  lock_timeout: 'timeout',
  lock_lost: 'error',
  refused: 'failure',
  control_plane_error: 'error',
  interrupted: 'cancellation',
};

/** Begins a trace, below that of TRACEPARENT where it is set. */
export function startTelemetry({ env, version, config, name, warn }: Surroundings): Telemetry {
  const sdk = startSdk(env, version);
  const begun = Date.now();
  const { trigger, environment } = config;
  const about: Attributes = clean({
    'cicd.pipeline.name': name,
    'deployment.environment.name': environment,
  });
  const root = sdk.tracer.startSpan(
    `RUN ${name}`,
    {
      kind: SpanKind.SERVER,
      startTime: begun,
      attributes: clean({
        ...about,
        'cicd.pipeline.action.name': 'RUN',
        'cicd.pipeline.run.id': trigger.runId,
        'cicd.pipeline.run.url.full': trigger.runUrl,
        'vcs.ref.head.revision': config.expectedSha,
        'fleet.target_tag': config.targetTag || null,
        'fleet.lock.group': config.lock?.group,
      }),
    },
    parentOf(env.TRACEPARENT),
  );
  const tasks = new Tasks(sdk.tracer, root);
  let result: FleetResult | undefined;
  let waitedMs = 0;
  return {
    childEnv: { TRACEPARENT: traceparentOf(root) },
    follow: (event) => {
      if (event.code === 'run.finished') result = event.result;
      if (event.code === 'lock.acquired') waitedMs = event.waited_ms;
      tasks.follow(event);
    },
    traced: (http) => (request) =>
      http({ ...request, headers: { traceparent: traceparentOf(tasks.current), ...request.headers } }),
    end: async (exitCode) => {
      const outcome = result?.outcome;
      const came = outcome ? RESULTS[outcome] : exitCode === 0 ? 'success' : 'failure';
      tasks.end();
      root.setAttributes(
        clean({
          'cicd.pipeline.result': came,
          'fleet.outcome': outcome,
          'fleet.deployed': result?.deployed,
          'fleet.lock.fencing_token': result?.lock?.fencing_token,
          'error.type': isBad(came) ? (outcome ?? `${exitCode}`) : undefined,
        }),
      );
      if (isBad(came)) root.setStatus({ code: SpanStatusCode.ERROR, message: result?.reason });
      root.end();
      recordRun(sdk.meter, about, { came, waitedMs, tookMs: Date.now() - begun, error: outcome });
      if (result) recordResult(sdk.meter, about, result);
      if (!(await sdk.end())) warn('telemetry: some of it was not taken by the collector that OTEL_* names');
    },
  };
}

const isBad = (came: RunResult) => ['failure', 'error', 'timeout'].includes(came);

/** Without what nobody knows. */
const clean = (attributes: Record<string, string | number | boolean | null | undefined>): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null),
  ) as Attributes;

type Tracer = ReturnType<typeof startSdk>['tracer'];

/** Tenants that a span names; the result names all. */
const NAMED = 50;

/** The parts of a run, each a span below it. One tenant is none: there may be a hundred thousand. */
class Tasks {
  readonly #open = new Map<string, Span>();

  constructor(
    private readonly tracer: Tracer,
    private readonly root: Span,
  ) {}

  /** What is being done: the part that began last. */
  get current(): Span {
    return [...this.#open.values()].at(-1) ?? this.root;
  }

  follow(event: FleetEvent): void {
    const at = Date.parse(event.at);
    switch (event.code) {
      case 'gate.waiting':
        return this.#begin('gates', at - event.waited_ms);
      case 'gate.passed':
      case 'gate.stopped':
        this.root.addEvent(event.code, { 'fleet.gate': event.gate }, at);
        return this.#finish('gates', at);
      case 'lock.waiting':
        return this.#begin('lock', at - event.waited_ms);
      case 'lock.acquired':
        this.root.addEvent(event.code, { 'fleet.lock.fencing_token': event.fencing_token }, at);
        return this.#finish('lock', at);
      case 'wave.started':
        return this.#begin('wave', at, {
          'cicd.pipeline.task.name': event.phase,
          'cicd.pipeline.task.type': 'deploy',
          'fleet.tenants': event.slugs.slice(0, NAMED),
          'fleet.tenants.count': event.slugs.length,
        });
      case 'wave.proven':
        return this.#finish('wave', at);
      case 'wave.unproven':
        return this.#finish('wave', at, event.tolerated ? undefined : event.stragglers);
      case 'soak.started':
        return this.#begin('soak', at, { 'fleet.tenants': [event.slug] });
      case 'soak.passed':
        return this.#finish('soak', at);
      case 'verify.started':
        return this.#begin('verify', at, { 'fleet.tenants.count': event.slugs.length });
      case 'verify.finished':
        return this.#finish('verify', at);
      case 'warning':
      case 'lock.lost':
        this.root.addEvent(event.code, { 'fleet.reason': event.reason }, at);
    }
  }

  /** What did not come to its end ends with the run. */
  end(): void {
    for (const span of [...this.#open.values()].reverse()) span.end();
    this.#open.clear();
  }

  #begin(name: string, startTime: number, attributes: Attributes = {}): void {
    if (this.#open.has(name)) return;
    const kind = SpanKind.INTERNAL;
    const span = this.tracer.startSpan(name, { kind, startTime, attributes }, childContext(this.current));
    this.#open.set(name, span);
  }

  #finish(name: string, at: number, stragglers?: string[]): void {
    const span = this.#open.get(name);
    if (!span) return;
    if (stragglers) {
      span.setAttribute('fleet.stragglers', stragglers.slice(0, NAMED));
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'not proven' });
    }
    span.end(at);
    this.#open.delete(name);
  }
}
