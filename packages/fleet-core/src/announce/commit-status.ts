/** The commit status of an environment: begun, and how it ended. */

import type { CommitState, CommitStatus, Gitea } from '../clients/gitea/gitea.js';
import { type Read, whyNot } from '../clients/gitea/request.js';
import type { Announcing } from '../config/alerts.js';
import type { FleetResult } from '../result/result.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';
import { type NotAnnounced, notAnnounced } from './fault.js';

/** Gitea shows no more of a description. */
const LONGEST_DESCRIPTION = 140;
/** How far back runs that were killed are looked for, in pages of 50 commits. */
const LOOK_BACK_PAGES = 5;

export interface StatusIo {
  gitea: Gitea;
  context: string;
  /** Page of this run. */
  runUrl: string | null;
}

/** Name of the status; one row a run is added, and the newest counts. */
export const statusContext = ({ name }: Announcing): string => oneLine(`fleet/${name}`, 100);

/**
 * Adds a row to the status of a commit.
 *
 * @throws NotAnnounced; the reason of the client's signal.
 */
export async function showStatus(
  { gitea, context, runUrl }: StatusIo,
  sha: string,
  state: CommitState,
  description: string,
): Promise<CommitStatus> {
  const row = { context, state, description: oneLine(description, LONGEST_DESCRIPTION) };
  const read = await gitea.setStatus(sha, runUrl ? { ...row, target_url: runUrl } : row);
  if (read.kind === 'read') return read.value;
  // Gitea's way to say that it does not know the commit.
  const maybe =
    read.kind === 'unreadable' && read.why === 'HTTP 500' ? ' (is the commit in the repository?)' : '';
  throw unable(`set the commit status ${context} on ${shortSha(sha)}${maybe}`, read);
}

/**
 * Ends the `pending` of earlier commits whose run was killed: the server says that its job is over, or it is older than
 * any run may be.
 *
 * Goes back by first parents. What a run has settled before, it has looked past as this one does: further back than any
 * run may last before the newest of those there is nothing left.
 *
 * @param shown The row that this run has just added: its time is the server's, as that of the rows in question is.
 * @param tell Told of each commit that was settled.
 * @throws NotAnnounced; the reason of the client's signal.
 */
export async function settleKilled(
  io: StatusIo,
  { expected_sha: sha, deployed }: Pick<FleetResult, 'expected_sha' | 'deployed'>,
  shown: CommitStatus,
  timeoutMs: number,
  tell: (sha: string) => void,
): Promise<void> {
  if (!sha) return;
  let settled: number | undefined;
  for await (const commit of before(io.gitea, sha)) {
    const read = await io.gitea.statuses(commit);
    if (read.kind !== 'read') throw unable(`read the statuses of ${shortSha(commit)}`, read);
    const row = read.value.get(io.context);
    if (row === undefined) continue;
    const at = Date.parse(row.created_at ?? '');
    if (!isPending(row)) {
      settled ??= at;
      if (!(settled - at <= timeoutMs)) return;
      continue;
    }
    const age = Date.parse(shown.created_at ?? '') - at;
    if (!(age > timeoutMs) && !(await isOver(io.gitea, commit, row))) continue;
    const text = `cut off; ${shortSha(sha)} was ${deployed ? 'proven' : 'tried'} later`;
    await showStatus({ ...io, runUrl: row.target_url ?? null }, commit, 'error', text);
    tell(commit);
  }
}

/**
 * Ends the `pending` that a run left on its own commit.
 *
 * @returns Whether there was one. @throws NotAnnounced; the reason of the client's signal.
 */
export async function settleOwn(io: StatusIo, sha: string): Promise<boolean> {
  const read = await io.gitea.statuses(sha);
  if (read.kind !== 'read') throw unable(`read the statuses of ${shortSha(sha)}`, read);
  const row = read.value.get(io.context);
  if (!row || !isPending(row) || (row.target_url || null) !== io.runUrl) return false;
  await showStatus(io, sha, 'error', 'cut off before its verdict; fleet verify tells what the fleet runs');
  return true;
}

const isPending = ({ status, state }: CommitStatus) => (status ?? state) === 'pending';

/** Whether the server has the job behind a row on record, and none of its run goes on. */
async function isOver(gitea: Gitea, sha: string, row: CommitStatus): Promise<boolean> {
  const run = Number(/\/actions\/runs\/(\d{1,15})\b/.exec(row.target_url ?? '')?.[1]);
  if (!run) return false;
  const read = await gitea.recentTasks();
  if (read.kind !== 'read') return false;
  const tasks = read.value.filter((task) => task.head_sha === sha && task.run_number === run);
  return tasks.length > 0 && tasks.every(({ status }) => OVER.includes(status ?? ''));
}

const OVER = ['success', 'failure', 'cancelled', 'skipped'];

/** The commits before `sha` by first parents, as far back as is looked. */
async function* before(gitea: Gitea, sha: string): AsyncGenerator<string, void> {
  const parents = new Map<string, string | undefined>();
  let at: string | undefined = sha;
  for (let page = 1; page <= LOOK_BACK_PAGES; page++) {
    const read = await gitea.history(sha, page);
    // A commit that is gone: there is nothing to settle that could be found.
    if (read.kind === 'absent') return;
    if (read.kind !== 'read') throw unable(`list the commits before ${shortSha(sha)}`, read);
    if (!read.value.size) return;
    for (const [commit, parent] of read.value) parents.set(commit, parent);
    for (let next = parents.get(at); next && parents.has(next); next = parents.get(next)) {
      yield next;
      at = next;
    }
  }
}

const unable = (what: string, read: Exclude<Read<unknown>, { kind: 'read' }>): NotAnnounced =>
  notAnnounced(`cannot ${what}: ${whyNot(read)}`, read, '"contents: write" (scope write:repository)');
