/**
 * A run as one trace, and what it took as metrics, by the semantic conventions for CI/CD. Sent by OTLP over HTTP, where
 * OTEL_* says; the SDK reads its variables itself.
 */
export { type Surroundings, startTelemetry, type Telemetry } from './telemetry.js';
