/** Tells people what a watch found, by the same issue and webhook as a run does; and leaves its last look on the commit. */
import { Gitea } from '../clients/gitea/gitea.js';
import { GiteaIssues } from '../clients/gitea/issues.js';
import { issueUrlOf } from '../config/links.js';
import type { WatchReport } from '../result/watch.js';
import { watchContext } from '../status/last-look.js';
import { oneLine } from '../text/sanitize.js';
import { plural } from '../text/words.js';
import { type AnnounceIo, attempt, clientOf, END_MS, limitOf, runUrlOf } from './announce.js';
import { showStatus } from './commit-status.js';
import { type AlertText, closeAlert, raiseAlert } from './issue.js';
import { type AlertState, block, markedBody, runLink } from './text.js';
import { tellChat } from './webhook.js';

/** Each row stays: no more of them than somebody needs who asks whether the watch still looks. */
const ROW_MS = 30 * 60_000;

/** Never rejects, and takes 20 s at most. @param stops Signals that end it at once. */
export async function announceLook(io: AnnounceIo, report: WatchReport, stops: AbortSignal[]): Promise<void> {
  const { announcing, gitea } = io.config;
  const limit = limitOf(io.ports, END_MS, stops);
  const work: Promise<void>[] = [];
  if (announcing.issue && gitea)
    work.push(attempt(io, limit, 'alert issue', () => tellIssue(io, report, limit.signal)));
  // Without the issue nothing remembers what was told: every look that finds something is.
  else if (announcing.webhook && report.findings.length)
    work.push(attempt(io, limit, 'webhook', () => chat(io, report, limit.signal)));
  if (announcing.commitStatus && gitea && report.proven_sha)
    work.push(attempt(io, limit, 'last look', () => keepLook(io, report, limit.signal)));
  await Promise.all(work);
  limit.end();
}

async function tellIssue(io: AnnounceIo, report: WatchReport, signal: AbortSignal): Promise<void> {
  const { config, emit } = io;
  const { announcing, gitea } = config;
  if (!gitea) return;
  const tell = report.findings.length ? raiseAlert : closeAlert;
  const told = await tell({
    issues: new GiteaIssues(clientOf(io, gitea, signal)),
    // One of its own: a rollout that is proven mends no freeze, and a good look no rollout that failed.
    environment: `${announcing.name} (watch)`,
    says: textOf(announcing.name, report),
    runUrl: runUrlOf(config),
    warn: (reason) => emit({ code: 'warning', reason }),
  });
  if (!told) return;
  const { action, number, news, state } = told;
  const url = issueUrlOf(announcing.webUrl ?? gitea.url, gitea.repository, number);
  emit({ code: 'alert.issue', action, number, url, runs: state.runs, since: state.since });
  if (announcing.webhook && news) await chat(io, report, signal, state);
}

async function chat(
  io: AnnounceIo,
  report: WatchReport,
  signal: AbortSignal,
  state?: AlertState,
): Promise<void> {
  const { config, ports, emit } = io;
  if (!config.announcing.webhook) return;
  const { name } = config.announcing;
  const well = state && oneLine(`fleet/${name}: all is well again after ${since(state)}`, 300);
  const text = report.findings.length ? [titleOf(name, report), ...linesOf(report)].join('\n') : `${well}`;
  await tellChat({ url: config.announcing.webhook, http: ports.http, clock: ports.clock, signal }, text);
  emit({ code: 'alert.sent', about: report.findings.length ? 'failure' : 'recovery' });
}

/** One row where something changed, or the last one is old: each stays on the commit. */
async function keepLook(io: AnnounceIo, report: WatchReport, signal: AbortSignal): Promise<void> {
  const { config, ports, emit } = io;
  const { gitea, announcing } = config;
  if (!gitea || !report.proven_sha) return;
  const client = new Gitea(clientOf(io, gitea, signal));
  const context = watchContext(announcing.name);
  const state = report.findings.length ? 'warning' : 'success';
  const description = report.findings.length
    ? `looked: ${report.findings.map(({ kind }) => kind).join(', ')}`
    : 'looked: all is well';
  const read = await client.statuses(report.proven_sha);
  const last = read.kind === 'read' ? read.value.get(context) : undefined;
  const fresh = ports.clock.wall() - Date.parse(last?.created_at ?? '') < ROW_MS;
  if (fresh && last?.description === description) return;
  await showStatus(
    { gitea: client, context, runUrl: runUrlOf(config) },
    report.proven_sha,
    state,
    description,
  );
  emit({ code: 'status.shown', context, state, sha: report.proven_sha });
}

const titleOf = (name: string, { findings }: WatchReport) =>
  oneLine(`fleet/${name} watch: ${findings.map(({ kind }) => kind).join(', ')}`, 200);

const linesOf = ({ findings }: WatchReport): string[] =>
  findings.flatMap(({ kind, says, next }) => [
    `${kind}: ${oneLine(says, 400)}`,
    ...(next ? [`Next: ${oneLine(next, 400)}`] : []),
  ]);

const since = ({ runs, since }: AlertState) => `${plural(runs, 'look')} since ${since}`;

function textOf(name: string, report: WatchReport): AlertText {
  const lines = (state: AlertState) => [
    `Found by ${since(state)}.${runLink(state)}`,
    '',
    block(linesOf(report)),
  ];
  return {
    at: report.at,
    // Ages grow from look to look; what is found by whom does not.
    about: oneLine(report.findings.map(({ kind, slugs }) => [kind, ...slugs].join(' ')).join('; '), 1000),
    title: titleOf(name, report),
    body: (state) =>
      markedBody(state, [
        ...lines(state),
        '',
        'The next look that finds nothing closes this issue; until then each look is counted here.',
        'It is found by its label and by its first line.',
      ]),
    failure: (state) => lines(state).join('\n'),
    recovery: (state) => `All is well again after ${since(state)}.`,
  };
}
