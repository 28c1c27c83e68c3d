/** The alert issue: one open issue while an environment fails, found by the marker in its body. */

import type { GiteaIssues, Issue } from '../clients/gitea/issues.js';
import { type Read, whyNot } from '../clients/gitea/request.js';
import { NotAnnounced, notAnnounced } from './fault.js';
import { type AlertState, alertStateOf, duplicateComment, nextState } from './text.js';

/** Keeps the listing short. Found again by its name, since ids differ by repository. */
const LABEL = {
  name: 'fleet-alert',
  color: '#d73a4a',
  description: 'A fleet is not proven to run its target',
};

export interface AlertIo {
  issues: GiteaIssues;
  environment: string;
  says: AlertText;
  /** Page of this run. */
  runUrl: string | null;
  warn: (what: string) => void;
}

/** What an alert says of one failure, or of the recovery. */
export interface AlertText {
  /** When it was found, ISO 8601. */
  at: string;
  /** Of what it tells: the same again is counted and not told anew. Absent: each failure is told. */
  about?: string;
  title: string;
  body: (state: AlertState) => string;
  failure: (state: AlertState) => string;
  recovery: (state: AlertState) => string;
}

export interface Told {
  action: 'opened' | 'updated' | 'closed';
  /** Something that the alert did not say before. */
  news: boolean;
  number: number;
  state: AlertState;
}

interface Alert {
  issue: Issue;
  state: AlertState;
}

/**
 * Tells the open alert of one more failure, or opens one.
 *
 * @throws NotAnnounced; the reason of the client's signal.
 */
export async function raiseAlert(io: AlertIo): Promise<Told> {
  const [open] = await alerts(io);
  const label = await labelOf(io);
  if (open) return update(io, open, label);
  const state = stateAfter(io, null);
  const mine = await create(io, state, label);
  // Another run that failed at this moment saw no issue either: the older one stays.
  const [oldest] = await alerts(io).catch(() => []);
  if (!oldest || oldest.issue.number >= mine) return { action: 'opened', news: true, number: mine, state };
  await close(io, mine, duplicateComment(oldest.issue.number));
  return update(io, oldest, label);
}

/**
 * Closes every open alert of the environment.
 *
 * @returns The oldest of them, null where there was none. @throws NotAnnounced; the reason of the client's signal.
 */
export async function closeAlert(io: AlertIo): Promise<Told | null> {
  const open = await alerts(io);
  for (const { issue, state } of open) {
    await close(io, issue.number, io.says.recovery(state));
  }
  const [first] = open;
  return first ? { action: 'closed', news: true, number: first.issue.number, state: first.state } : null;
}

/** The id of our label, made where it is missing; null where it cannot be had: the alert does without. */
async function labelOf({ issues, warn }: AlertIo): Promise<number | null> {
  const find = async () => {
    const read = await issues.labels();
    return read.kind === 'read' ? read.value.find(({ name }) => name === LABEL.name)?.id : read;
  };
  let found = await find();
  if (found === undefined) {
    const made = await issues.createLabel(LABEL);
    // The answer may be what was lost.
    found = made.kind === 'read' ? made.value.id : ((await find()) ?? made);
  }
  if (typeof found === 'number') return found;
  warn(`the alert issue goes without its label ${LABEL.name}, which cannot be had: ${whyNot(found)}`);
  return null;
}

/**
 * Open alerts of the environment, the oldest first. Their first line tells them, never the label: somebody may have
 * taken it away, or a token without the right have opened the issue without it.
 */
async function alerts({ issues, environment }: AlertIo): Promise<Alert[]> {
  const read = await issues.open();
  if (read.kind !== 'read') throw await unable(issues, 'look for the alert issue', read);
  return read.value.flatMap((issue) => {
    const state = alertStateOf(issue.body);
    return state?.environment === environment ? [{ issue, state }] : [];
  });
}

async function create(io: AlertIo, state: AlertState, label: number | null): Promise<number> {
  const { issues } = io;
  const text = textOf(io, state);
  for (let attempt = 1; ; attempt++) {
    const made = await issues.create(text, label === null ? [] : [label]);
    if (made.kind === 'read') {
      const has = made.value.labels?.some(({ id }) => id === label);
      if (label !== null && !has)
        io.warn(
          `the alert issue #${made.value.number} was opened without its label ${LABEL.name}: GITEA_TOKEN needs "issues: write"`,
        );
      return made.value.number;
    }
    if (made.kind !== 'unreadable' || !made.unknown) throw await unable(issues, 'open the alert issue', made);
    const [there] = await alerts(io);
    if (there) return there.issue.number;
    if (attempt === 2) throw await unable(issues, 'open the alert issue', made);
  }
}

async function update(io: AlertIo, { issue, state: before }: Alert, label: number | null): Promise<Told> {
  const { issues, says } = io;
  const state = stateAfter(io, before);
  const news = says.about === undefined || says.about !== before.about;
  const edited = await issues.edit(issue.number, textOf(io, state));
  if (edited.kind !== 'read') throw await unable(issues, `edit the alert issue #${issue.number}`, edited);
  const said = news ? await issues.comment(issue.number, says.failure(state)) : edited;
  if (said.kind !== 'read') throw await unable(issues, `comment on the alert issue #${issue.number}`, said);
  if (label !== null && !issue.labels?.some(({ id }) => id === label)) {
    const added = await issues.addLabel(issue.number, label);
    if (added.kind !== 'read')
      io.warn(`the alert issue #${issue.number} cannot be labelled ${LABEL.name}: ${whyNot(added)}`);
  }
  return { action: 'updated', news, number: issue.number, state };
}

async function close({ issues }: AlertIo, number: number, why: string): Promise<void> {
  // Closed first: a comment that fails then leaves no alert that is open for ever.
  const closed = await issues.edit(number, { state: 'closed' });
  if (closed.kind !== 'read') throw await unable(issues, `close the alert issue #${number}`, closed);
  const said = await issues.comment(number, why);
  if (said.kind !== 'read') throw await unable(issues, `comment on the alert issue #${number}`, said);
}

const textOf = ({ says }: AlertIo, state: AlertState) => ({ title: says.title, body: says.body(state) });

const stateAfter = ({ environment, says, runUrl }: AlertIo, before: AlertState | null) =>
  nextState(before, { environment, at: says.at, about: says.about, runUrl });

/** A repository without issues answers as one that is not there: it is asked, so that the reason is the real one. */
async function unable(
  issues: GiteaIssues,
  what: string,
  read: Exclude<Read<unknown>, { kind: 'read' }>,
): Promise<NotAnnounced> {
  if (read.kind === 'absent' && (await issues.areSwitchedOff()))
    return new NotAnnounced(
      `cannot ${what}: issues are switched off in the repository; switch them on or leave --alert-issue out`,
    );
  return notAnnounced(`cannot ${what}: ${whyNot(read)}`, read, '"issues: write" (scope write:issue)');
}
