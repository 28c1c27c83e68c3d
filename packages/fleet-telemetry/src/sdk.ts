/** The SDK, set up for a process that does one thing and ends. */
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Env } from '@tenant-fleet/fleet-core/config';

/** How long the end of a run may wait for a collector, where OTEL_EXPORTER_OTLP_TIMEOUT does not say otherwise. */
const TIMEOUT_MS = 3_000;
/** Metrics leave once, at the end. */
const NEVER_MS = 2 ** 31 - 1;

export interface Sdk {
  tracer: ReturnType<BasicTracerProvider['getTracer']>;
  meter: ReturnType<MeterProvider['getMeter']>;
  /** Sends what is left. @returns Whether all of it was taken. */
  end(): Promise<boolean>;
}

export function startSdk(env: Env, version: string): Sdk {
  let lost = false;
  const lose = () => {
    lost = true;
  };
  // What it says may hold the address with its user, and the answer of a server.
  const quiet = () => {};
  diag.setLogger(
    { error: lose, warn: quiet, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  const options = env.OTEL_EXPORTER_OTLP_TIMEOUT ? {} : { timeoutMillis: TIMEOUT_MS };
  const resource = resourceOf(version);
  const isOff = (name: string) => env[name] === 'none';
  const traces = new BasicTracerProvider({
    resource,
    spanProcessors: isOff('OTEL_TRACES_EXPORTER')
      ? []
      : [new BatchSpanProcessor(new OTLPTraceExporter(options))],
  });
  const metrics = new MeterProvider({
    resource,
    readers: isOff('OTEL_METRICS_EXPORTER')
      ? []
      : [
          new PeriodicExportingMetricReader({
            exporter: new OTLPMetricExporter(options),
            exportIntervalMillis: NEVER_MS,
            exportTimeoutMillis: NEVER_MS,
          }),
        ],
  });
  return {
    tracer: traces.getTracer('fleet', version),
    meter: metrics.getMeter('fleet', version),
    end: async () => {
      await Promise.all([traces, metrics].map((provider) => provider.shutdown().catch(lose)));
      return !lost;
    },
  };
}

/** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win. */
const resourceOf = (version: string): Resource =>
  defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'fleet', 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] }));
