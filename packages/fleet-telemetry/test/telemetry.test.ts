/** What a collector gets of a run: real OTLP over HTTP on loopback. */
import { type EventData, type FleetResult, type HttpRequest, resultSchema } from '@tenant-fleet/fleet-core';
import { afterEach, expect, test } from 'vitest';
import { startTelemetry } from '../src/index.js';
import { wantsTelemetry } from '../src/wanted.js';
import { startReceiver } from './receiver.js';

const SHA = 'b'.repeat(40);
const PARENT = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
const START = Date.parse('2026-01-02T03:00:00.000Z');

const result = (outcome: 'succeeded' | 'failed'): FleetResult =>
  resultSchema.parse({
    ...{ schema: 'fleet-result/1', outcome, deployed: outcome === 'succeeded', reason: 'why' },
    ...{ environment: 'staging', target_tag: 'main-1', expected_sha: SHA, exit_code: 0 },
    ...{ started_at: '2026-01-02T03:00:00.000Z', finished_at: '2026-01-02T03:00:20.000Z' },
    lock: { group: 'staging', fencing_token: 7, waited_ms: 2000 },
    lead_time: {
      ...{ committed_at: '2026-01-02T02:50:00.000Z', proven_at: '2026-01-02T03:00:15.000Z', ms: 615_000 },
    },
    counts: {
      ...{
        enumerated: 2,
        on_target: outcome === 'succeeded' ? 2 : 1,
        stale: outcome === 'succeeded' ? 0 : 1,
      },
      ...{ unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 },
    },
    tenants: ['acme', 'birch'].map((slug, index) => ({
      ...{ slug, phase: 'batch-1', observed_sha: SHA, baseline_sha: null, detail: null, probes: 2 },
      status: outcome === 'succeeded' || index === 0 ? 'on_target' : 'stale',
      on_target_after_ms: outcome === 'succeeded' || index === 0 ? 1500 : null,
    })),
    ...{ calls: [], warnings: [], next: [] },
  });

const slugs = ['acme', 'birch'];
const wave = { phase: 'batch-1', slugs };
const events = (outcome: 'succeeded' | 'failed'): [number, EventData][] => [
  [1000, { code: 'gate.passed', gate: 'kill switch', detail: 'off' }],
  [
    3000,
    { code: 'lock.waiting', group: 'staging', position: 1, queue_length: 1, holder: null, waited_ms: 0 },
  ],
  [5000, { code: 'lock.acquired', group: 'staging', fencing_token: 7, waited_ms: 2000, ttl_ms: 30_000 }],
  [6000, { code: 'wave.started', ...wave, wave: 1, waves: 1 }],
  [7000, { code: 'verify.started', slugs, settle_budget_ms: 240_000 }],
  [9000, { code: 'verify.finished', on_target: 1, of: 2, duration_ms: 2000 }],
  outcome === 'succeeded'
    ? [9500, { code: 'wave.proven', ...wave, duration_ms: 3500 }]
    : [9500, { code: 'wave.unproven', phase: 'batch-1', stragglers: ['birch'], tolerated: false }],
  [20_000, { code: 'run.finished', result: result(outcome) }],
];

const before = { ...process.env };
let receiver: Awaited<ReturnType<typeof startReceiver>> | undefined;
afterEach(() => {
  process.env = { ...before };
  receiver?.close();
});

/** Plays a run, and what one request in its wave carried. */
async function play(outcome: 'succeeded' | 'failed', env: Record<string, string> = {}, status = 200) {
  const collector = await startReceiver({ status });
  receiver = collector;
  process.env = { ...before, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env };
  const warnings: string[] = [];
  const telemetry = startTelemetry({
    ...{ env: process.env, version: '1.2.3', name: 'fleet redeploy' },
    config: {
      ...{ environment: 'staging', expectedSha: SHA, targetTag: 'main-1', lock: null },
      trigger: { runId: '42', runUrl: 'https://git.example.com/o/r/actions/runs/42' },
    },
    warn: (text) => warnings.push(text),
  });
  const sent: HttpRequest[] = [];
  const http = telemetry.traced(async (request) => {
    sent.push(request);
    return { status: 200, headers: {}, body: '' };
  });
  for (const [after, event] of events(outcome)) {
    telemetry.follow({ at: new Date(START + after).toISOString(), ...event });
    if (event.code === 'wave.started')
      await http({
        method: 'POST',
        url: 'http://127.0.0.1/',
        timeoutMs: 1,
        maxBytes: 1,
        headers: { a: 'b' },
      });
  }
  await telemetry.end();
  return { telemetry, warnings, sent, ...collector };
}

test('a run is one trace below its parent, and its parts are spans', async () => {
  const { telemetry, spans, sent, resources, headers, warnings } = await play('succeeded', {
    TRACEPARENT: PARENT,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=abc',
    OTEL_RESOURCE_ATTRIBUTES: 'team=blue',
  });
  expect(warnings).toEqual([]);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(['c'.repeat(32)]));
  const named = new Map(spans.map((span) => [span.name, span]));
  const root = named.get('RUN fleet redeploy');
  const parents = spans.map(({ name, parentSpanId }) => [
    name,
    spans.find(({ spanId }) => spanId === parentSpanId)?.name ?? parentSpanId,
  ]);
  expect(Object.fromEntries(parents)).toEqual({
    'RUN fleet redeploy': 'd'.repeat(16),
    lock: 'RUN fleet redeploy',
    wave: 'RUN fleet redeploy',
    verify: 'wave',
  });
  expect(['lock', 'wave', 'verify'].map((name) => named.get(name)?.ms)).toEqual([2000, 3500, 2000]);
  expect(root).toMatchObject({
    status: 0,
    attributes: {
      'cicd.pipeline.name': 'fleet redeploy',
      'cicd.pipeline.action.name': 'RUN',
      'cicd.pipeline.run.id': '42',
      'cicd.pipeline.result': 'success',
      'deployment.environment.name': 'staging',
      'vcs.ref.head.revision': SHA,
      'fleet.outcome': 'succeeded',
      'fleet.deployed': true,
      'fleet.lock.fencing_token': 7,
    },
  });
  expect(named.get('wave')?.attributes).toMatchObject({ 'cicd.pipeline.task.name': 'batch-1' });
  expect(sent.map((request) => request.headers)).toEqual([
    { traceparent: `00-${'c'.repeat(32)}-${named.get('wave')?.spanId}-01`, a: 'b' },
  ]);
  expect(telemetry.childEnv).toEqual({ TRACEPARENT: `00-${'c'.repeat(32)}-${root?.spanId}-01` });
  expect(resources[0]).toMatchObject({ 'service.name': 'fleet', 'service.version': '1.2.3', team: 'blue' });
  expect(headers[0]).toMatchObject({ 'x-key': 'abc', 'content-type': 'application/x-protobuf' });
});

test('metrics say how long it took, how the fleet stands, and the lead time', async () => {
  const { points } = await play('succeeded');
  const of = (name: string) => points.filter((point) => point.name === name);
  expect(of('cicd.pipeline.run.duration')).toContainEqual({
    ...{ name: 'cicd.pipeline.run.duration', value: 2 },
    attributes: {
      'cicd.pipeline.name': 'fleet redeploy',
      'cicd.pipeline.result': 'success',
      'cicd.pipeline.run.state': 'pending',
      'deployment.environment.name': 'staging',
    },
  });
  const tenants = of('fleet.tenants').map(({ attributes, value }) => [
    attributes['fleet.tenant.status'],
    value,
  ]);
  expect(Object.fromEntries(tenants)).toMatchObject({ on_target: 2, stale: 0 });
  expect(of('fleet.tenant.settle.duration').map(({ value }) => value)).toEqual([3]);
  expect(of('fleet.lead_time').map(({ value }) => value)).toEqual([615]);
  expect(of('cicd.pipeline.run.errors')).toEqual([]);
});

test('a run that fails is an error, and so is its wave', async () => {
  const { spans, points } = await play('failed');
  const named = new Map(spans.map((span) => [span.name, span]));
  expect(named.get('RUN fleet redeploy')).toMatchObject({
    ...{ status: 2, attributes: { 'cicd.pipeline.result': 'failure', 'error.type': 'failed' } },
  });
  expect(named.get('wave')).toMatchObject({ status: 2, attributes: { 'fleet.stragglers': ['birch'] } });
  expect(points.find(({ name }) => name === 'cicd.pipeline.run.errors')?.value).toBe(1);
});

test('a collector that refuses is said once, without its address', async () => {
  const { warnings } = await play('succeeded', {}, 403);
  expect(warnings).toEqual([expect.stringMatching(/^telemetry: some of it was not taken/)]);
});

test('one of the two may be left out', async () => {
  const { spans, points } = await play('succeeded', { OTEL_TRACES_EXPORTER: 'none' });
  expect([spans.length, points.length > 0]).toEqual([0, true]);
});

test.each<[Record<string, string>, string | undefined, boolean]>([
  [{}, undefined, false],
  [{ TRACEPARENT: PARENT, OTEL_SERVICE_NAME: 'x' }, undefined, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, undefined, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318' }, 'push', true],
  [{ OTEL_METRICS_EXPORTER: 'otlp' }, undefined, true],
  [{ OTEL_TRACES_EXPORTER: 'none' }, undefined, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'TRUE' }, undefined, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, 'pull_request', false],
])('%j under %s: %s', (env, event, wanted) => {
  expect(wantsTelemetry(env, { event })).toBe(wanted);
});
