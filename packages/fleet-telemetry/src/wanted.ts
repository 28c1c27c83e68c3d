/** Whether anybody asked for telemetry. Apart from the rest, which nobody else loads. */
import type { Trigger } from '@tenant-fleet/fleet-core';
import { type Env, TRUSTED_EVENTS } from '@tenant-fleet/fleet-core/config';

const ADDRESSES = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];
const EXPORTERS = ['OTEL_TRACES_EXPORTER', 'OTEL_METRICS_EXPORTER'];

/**
 * An address or an exporter is named in the environment. Never under an event that anybody can cause: the headers of
 * the exporter are a secret.
 */
export function wantsTelemetry(env: Env, { event }: Pick<Trigger, 'event'> = {}): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  if (event !== undefined && !TRUSTED_EVENTS.includes(event)) return false;
  return ADDRESSES.some((name) => env[name]) || EXPORTERS.some((name) => env[name] === 'otlp');
}
