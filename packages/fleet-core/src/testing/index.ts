export { type FakeExchange, type FakeFault, FakeGitea, type FakeGiteaOptions } from './fake-gitea.js';
export type { FakeIssue, FakeLabel, FakeRepository, FakeStatus } from './fake-gitea-repository.js';
export { ManualClock } from './manual-clock.js';
export { RecordingSink } from './recording-sink.js';
export { trackedHttp } from './tracked-http.js';
