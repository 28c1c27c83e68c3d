/** What a run and a lock look like to people: plain lines and a page. Public as `@tenant-fleet/fleet-core/render`. */
export { renderDoctor } from './doctor.js';
export { type RenderOptions, renderEvent, type Tone, toneOf } from './event.js';
export { renderGates } from './gates.js';
export { type HistoryLine, renderHistory, renderRollout } from './history.js';

export { type JunitCase, junitOf, renderJunit } from './junit.js';
export { lineTeller } from './lines.js';
export { renderLockEvent, renderLockStatus } from './lock.js';
export { type GroupView, renderDashboard, renderGroup, renderRolloutPart } from './page/dashboard.js';
export { renderHtml } from './page/page.js';
export { outcomeTone, renderResult } from './result.js';
export { renderRollback } from './rollback.js';
export { renderServerRollout, renderServerRollouts } from './server-rollout.js';
export { renderSettings } from './settings.js';
export { renderStatus, type StatusLine } from './status.js';
export { renderSummary } from './summary.js';
export { renderWatch } from './watch.js';
