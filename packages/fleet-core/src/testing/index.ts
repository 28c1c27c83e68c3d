export { type FakeExchange, type FakeFault, FakeGitea, type FakeGiteaOptions } from './fake-gitea.js';
export type { FakeRepository } from './fake-gitea-repository.js';
export type { FakeIssue, FakeLabel, FakeStatus, FakeTask } from './fake-gitea-rows.js';
export { ManualClock } from './manual-clock.js';
export { RecordingSink } from './recording-sink.js';
export { trackedHttp } from './tracked-http.js';
