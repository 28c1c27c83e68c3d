export { ManualClock } from './manual-clock.js';
export { RecordingSink } from './recording-sink.js';
export { trackedHttp } from './tracked-http.js';
