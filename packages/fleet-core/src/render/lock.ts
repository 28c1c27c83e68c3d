/** The state of a lock and its audit log as plain lines. All texts in them were written by somebody else. */

import type { Draining, Frozen, HeldView, LockEvent, LockStatus } from '../contract.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { nameList } from '../text/words.js';
import { holderInWords, holderName } from './holder.js';

/** Who holds the lock, whether it is frozen, who waits: the first line answers, indented ones explain. */
export function renderLockStatus(status: LockStatus): string[] {
  const { held, queue, frozen, draining, last_fencing_token: last } = status;
  const lock = `Lock ${oneLine(status.group, 63)}:`;
  const hold = held ? heldLine(held) : `${frozen ? 'nobody holds it' : 'free'}; last fencing token ${last}`;
  return [
    ...(frozen ? [`${lock} FROZEN${frozenInWords(frozen)}`, `  ${hold}`] : [`${lock} ${hold}`]),
    ...(held ? [renewedLine(held)] : []),
    ...(draining ? [drainingInWords(draining)] : []),
    ...queue.map(({ position, holder, waiting_for_seconds: waiting }) => {
      return `  ${position}. ${holderName(holder)}, waiting ${seconds(waiting)}`;
    }),
  ];
}

const heldLine = (held: HeldView): string =>
  `held by ${holderInWords({ ...held.holder, held_for_seconds: held.held_for_seconds })}, fencing token ${held.fencing_token}`;

function renewedLine(held: HeldView): string {
  const { step, alive, last_renew_seconds_ago: silent } = held;
  const doing = step ? `doing: ${oneLine(step)}, ` : '';
  const left = freesInSeconds(held);
  const frees = left === null ? null : `frees itself in ${seconds(left)}`;
  const end = alive
    ? frees && `${frees} unless it renews`
    : ['it does not renew any more', frees].filter(Boolean).join(' and ');
  return `  ${doing}last renewed ${seconds(silent)} ago${end ? `; ${end}` : ''}`;
}

/** Whole seconds until a lease ends that is not renewed again; null where its server does not say how long it lives. */
export function freesInSeconds({
  ttl_seconds: ttl,
  last_renew_seconds_ago: silent,
}: HeldView): number | null {
  return ttl ? Math.max(0, Math.round(ttl - silent)) : null;
}

function drainingInWords({ fencing_token: token, slugs, since_seconds: since }: Draining): string {
  const whom = slugs.length ? nameList(slugs.map((slug) => oneLine(slug, 63))) : 'the whole fleet';
  return `  draining: the roll of ${whom} under fencing token ${token} still runs, since ${seconds(since)}; nothing else rolls before it has ended`;
}

/** ` by ann until 18:00: audit`. */
export function frozenInWords({ actor, until, reason }: Frozen): string {
  const by = actor ? ` by ${oneLine(actor)}` : '';
  const end = until ? ` until ${oneLine(until)}` : '';
  return `${by}${end}: ${oneLine(reason || 'no reason given', 500)}`;
}

const seconds = (value: number): string => formatDuration(Math.max(0, value) * 1000);

/** One event of the audit log: number, time, what happened to which grant, by whom, why. */
export function renderLockEvent(event: LockEvent): string {
  const { seq, kind, claim_id: claim, fencing_token: token, actor } = event;
  const detail = event.detail ?? {};
  const at = oneLine(event.at, 40).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2Z');
  const holder = text(field(detail.holder, 'name'));
  const which = token ? `token ${token}` : claim ? `claim ${oneLine(claim, 8).replace(/…$/, '')}` : '';
  const parts = [
    holder && (kind === 'broken' ? `held by ${holder}` : holder),
    actor && `${holder ? '' : 'by '}${oneLine(actor)}`,
    detail.result === 'none' ? undefined : text(detail.result)?.replaceAll('_', ' '),
    text(detail.until) && `until ${text(detail.until)}`,
    supersederOf(detail.by),
    // A break says in `reason` only that it was one.
    text(detail.why) ?? (kind === 'broken' ? undefined : text(detail.reason)),
  ].filter((part) => !!part);
  const head = [`#${seq}`, at, oneLine(kind, 40), which].filter(Boolean).join(' ');
  return parts.length ? `${head}: ${parts.join(', ')}` : head;
}

function supersederOf(by: unknown): string | undefined {
  const number = field(by, 'number');
  const name = text(field(field(by, 'holder'), 'name'));
  if (typeof number !== 'number') return name && `for ${name}`;
  return name ? `for number ${number}, ${name}` : `for number ${number}`;
}

/** A field of a record whose shape only its writer knows. */
const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value ? oneLine(value, 500) : undefined;
