/** A look at a fleet as plain lines, for somebody who was woken by it. All texts in them were written by others. */
import type { Draining, HeldView, LockStatus } from '../contract.js';
import type { FleetStatus, Known, LockSeen, RolloutSeen, TenantsSeen } from '../result/status.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { nameList, plural, shortSha } from '../text/words.js';
import type { Tone } from './event.js';
import { frozenInWords } from './lock.js';

export interface StatusLine {
  text: string;
  tone: Tone;
  /** It is there to be pasted into a shell. */
  command?: boolean;
}

/** The first line answers; what is wrong stands before what is well; the last says what to type. */
export function renderStatus(status: FleetStatus): StatusLine[] {
  const { tenants, lock, last_proven: proven, unfinished, next } = status;
  return [
    headline(status),
    ...(tenants.known ? tenantLines(tenants.value, provenOf(proven)) : unknown('What runs', tenants)),
    ...(lock.known ? lockLines(lock.value) : unknown('Lock', lock)),
    ...(unfinished ? [rolloutLine('Last rollout', unfinished, status.at, 'bad')] : []),
    ...lookLines(status),
    ...provenLines(proven, status.at),
    ...(next
      ? [line(`Next, ${next.why}:`), { ...line(`  ${next.command}`), command: true }]
      : [line('Next: nothing has to be done')]),
  ];
}

const line = (text: string, tone: Tone = 'plain'): StatusLine => ({ text, tone });
const provenOf = (proven: FleetStatus['last_proven']) => (proven.known ? proven.value : null);
const seconds = (value: number) => formatDuration(Math.max(0, value) * 1000);
const unknown = (what: string, { why, next }: Extract<Known<unknown>, { known: false }>): StatusLine[] => [
  line(`${what}: not known: ${oneLine(why, 300)}`, 'warn'),
  ...(next ? [line(`  ${oneLine(next, 300)}`, 'quiet')] : []),
];

function headline({ environment, tenants, last_proven: proven, at }: FleetStatus): StatusLine {
  const fleet = `${oneLine(environment ?? 'The fleet')} at ${at.slice(11, 19)}Z`;
  if (!tenants.known) return line(`${fleet}: the control plane cannot be used`, 'bad');
  const { listed, commits, unread, majority, off_proven, off_majority } = tenants.value;
  if (!listed) return line(`${fleet}: the control plane lists no tenant`, 'bad');
  const reference = provenOf(proven)?.expected_sha ?? majority;
  const on = commits.find(({ commit }) => commit === reference)?.slugs.length ?? 0;
  const of = `${fleet}: ${on} of ${plural(listed, 'tenant')}`;
  const off = (off_proven ?? off_majority).length || unread.length;
  if (reference === null)
    return line(`${fleet}: ${plural(listed, 'tenant')}, and no commit that most run`, 'bad');
  const what = off_proven ? 'the last proven commit' : 'one commit';
  return line(`${of} run ${what}, ${shortSha(reference)}`, off ? 'bad' : 'good');
}

function tenantLines(seen: TenantsSeen, proven: RolloutSeen | null): StatusLine[] {
  const reference = proven?.expected_sha ?? seen.majority;
  const width = String(seen.listed).length;
  const count = (slugs: unknown[]) => String(slugs.length).padStart(width);
  const named = (slugs: string[]) =>
    nameList(slugs.map((slug) => (seen.ephemeral.includes(slug) ? `${slug} (ephemeral)` : slug)));
  // Whoever is few is looked for by name, on the proven commit too: a roll may have left them behind.
  const groups = seen.commits.map(({ commit, tag, slugs }) => {
    const short = `${count(slugs)} on ${shortSha(commit)}${tag ? ` (${oneLine(tag, 128)})` : ''}`;
    const text = commit === seen.majority ? short : `${short}: ${named(slugs)}`;
    return line(`  ${text}`, commit === reference ? 'plain' : 'warn');
  });
  const silent = new Map<string, string[]>();
  for (const { slug, status, why } of seen.unread) {
    const what = status === 'unreachable' ? 'without an answer' : 'without a commit';
    const key = `${what} (${oneLine(why, 120)})`;
    silent.set(key, [...(silent.get(key) ?? []), slug]);
  }
  return [
    ...groups,
    ...[...silent].map(([key, slugs]) => line(`  ${count(slugs)} ${key}: ${named(slugs)}`, 'warn')),
  ];
}

function lockLines(lock: LockSeen): StatusLine[] {
  const { group, held, frozen, draining, queue } = lock;
  return [
    ...(frozen
      ? [
          line(
            `Frozen${frozenInWords(frozen)}${frozen.since ? `; since ${oneLine(frozen.since, 40)}` : ''}`,
            'bad',
          ),
        ]
      : []),
    held ? heldLine(lock, held) : line(`Lock ${oneLine(group, 63)}: ${frozen ? 'held by nobody' : 'free'}`),
    ...(draining ? [drainingLine(draining)] : [line('Open rolls: none')]),
    ...queueLines(queue),
  ];
}

function heldLine({ group, frees_in_seconds: left }: LockSeen, held: HeldView): StatusLine {
  const { holder, step, alive } = held;
  const who = `${holder.actor ?? holder.name}${holder.host ? `@${holder.host}` : ''}`;
  const parts = [
    `Lock ${oneLine(group, 63)}: held by ${oneLine(who)} for ${seconds(held.held_for_seconds)}`,
    holder.sha && `commit ${shortSha(oneLine(holder.sha, 64))}`,
    step && `doing: ${oneLine(step, 160)}`,
    left === null
      ? 'frees itself when it stops renewing'
      : alive
        ? `frees itself in ${seconds(left)} unless it renews`
        : `does not renew any more, frees itself in ${seconds(left)}`,
    holder.run_url && oneLine(holder.run_url, 300),
  ];
  return line(parts.filter(Boolean).join(', '), alive ? 'plain' : 'warn');
}

function drainingLine({ slugs, fencing_token: token, since_seconds: since }: Draining): StatusLine {
  const whom = slugs.length ? nameList(slugs.map((slug) => oneLine(slug, 63))) : 'the whole fleet';
  return line(`Open rolls: ${whom}, under the older fencing token ${token}, since ${seconds(since)}`, 'warn');
}

function queueLines(queue: LockStatus['queue']): StatusLine[] {
  if (!queue.length) return [line('Queue: empty')];
  return [
    line(`Queue: ${queue.length}`),
    ...queue.map(({ position, holder, waiting_for_seconds: waiting }) => {
      const actor = holder.actor ? ` (${oneLine(holder.actor)})` : '';
      return line(`  ${position}. ${oneLine(holder.name)}${actor}, waiting ${seconds(waiting)}`);
    }),
  ];
}

function lookLines({ last_look: look, at }: FleetStatus): StatusLine[] {
  if (!look) return [];
  if (!look.known) return unknown('Last look of the watch', look);
  if (!look.value) return [line('Last look of the watch: none since the last proven rollout')];
  const ago = formatDuration(Math.max(0, Date.parse(at) - Date.parse(look.value.at)));
  return [
    line(
      `Last look of the watch: ${ago} ago, ${oneLine(look.value.says, 140)}`,
      look.value.well ? 'plain' : 'warn',
    ),
  ];
}

function provenLines(proven: FleetStatus['last_proven'], at: string): StatusLine[] {
  if (!proven.known) return unknown('Last proven rollout', proven);
  if (!proven.value) return [line('Last proven rollout: none is on record')];
  return [rolloutLine('Last proven rollout', proven.value, at, 'plain')];
}

function rolloutLine(what: string, rollout: RolloutSeen, now: string, tone: Tone): StatusLine {
  const { claim_id, target_tag, expected_sha, by, at, outcome, run_url } = rollout;
  const ago = Date.parse(now) - Date.parse(at);
  const parts = [
    `${what}: ${oneLine(claim_id).slice(0, 8)}`,
    `to ${shortSha(expected_sha)} (${oneLine(target_tag, 128)})`,
    oneLine(outcome ?? 'ended without a verdict', 60).replaceAll('_', ' '),
    `by ${oneLine(by)}`,
    Number.isFinite(ago) && `${formatDuration(Math.max(0, ago))} ago`,
    run_url && oneLine(run_url, 300),
  ];
  return line(parts.filter(Boolean).join(', '), tone);
}
