/** What a round left behind: the database's record, the tenants' own, the messages, and what every process said. */
import type { FleetResult } from '@tenant-fleet/fleet-core';
import type { Command, Script } from './script.js';

/** All times are milliseconds since 1970; all processes and the database read the clock of one machine. */
export interface Claim {
  claim_id: string;
  /** Who made it, by the addresses of its messages; null where none came through. */
  run: string | null;
  state: string;
  token: number | null;
  order_key: string | null;
  order_number: number | null;
  ttl_ms: number;
  acquired: number | null;
  ended: number | null;
  end_reason: string | null;
  result: string | null;
}

export interface Roll {
  id: number;
  token: number | null;
  claim_id: string | null;
  target_tag: string;
  slugs: string[];
  started: number;
  ended: number | null;
  result: string | null;
}

/** A tenant took another image; written by a trigger of the database in the transaction that changed it. */
export interface Swap {
  at: number;
  slug: string;
  from: string;
  to: string;
  /** Rolls that were open and named it. */
  rolls: number[];
}

/** A tenant was asked what it runs. */
export interface Answer {
  run: string;
  slug: string;
  /** When it read what it runs. */
  at: number;
  /** What it answered; null where it could not. */
  sha: string | null;
  /** False where the answer got lost. */
  delivered: boolean;
  trouble: string | null;
}

/** One message to a control plane. */
export interface Message {
  run: string;
  plane: number;
  at: number;
  method: string;
  path: string;
  trouble: string | null;
  status: number | null;
}

/** A process and what became of it. */
export interface Run {
  command: Command;
  started: number;
  ended: number;
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  blow: { kind: string; at: number } | null;
  /** It was ended because it went on for longer than its own limit allows. */
  overdue: boolean;
}

/** A command under `fleet lock run` was alive. */
export interface Beat {
  run: string;
  token: number;
  at: number;
}

export interface History {
  script: Script;
  started: number;
  claims: Claim[];
  rolls: Roll[];
  swaps: Swap[];
  answers: Answer[];
  messages: Message[];
  runs: Run[];
  beats: Beat[];
  injuries: { at: number; kind: string; plane: number | null }[];
  /** Text that servers printed. */
  outputs: { who: string; text: string }[];
  /** What must not be in any output. */
  secrets: string[];
  /** What was left when all were dead and had had their time, in words. */
  remains: string[];
}

export interface Violation {
  rule: string;
  what: string;
}

/** The document of a run; null where it printed none that can be read. */
export function resultOf(run: Run): FleetResult | null {
  try {
    const parsed = JSON.parse(run.stdout);
    return parsed?.schema === 'fleet-result/1' ? parsed : null;
  } catch {
    return null;
  }
}

/** Whether it rolls when it ends well. */
export const isRollout = ({ command: { task } }: Run) => task.kind === 'redeploy' || task.kind === 'rollback';

/** The claim under which a run did its work: the one whose token its report names. */
export function claimOf(history: History, run: Run): Claim | undefined {
  const token = resultOf(run)?.lock?.fencing_token;
  return token == null ? undefined : history.claims.find((claim) => claim.token === token);
}

export const shaOf = (history: History, tag: string) =>
  history.script.images.find((image) => image.tag === tag)?.sha ?? null;

/** What a tenant ran at a moment, by the record of its swaps. */
export function runningAt({ script, swaps }: History, slug: string, at: number): string {
  let sha = script.images[0]?.sha ?? '';
  for (const swap of swaps) if (swap.slug === slug && swap.at <= at) sha = swap.to;
  return sha;
}

export const rollsInOrder = ({ rolls }: History) =>
  [...rolls].sort((a, b) => a.started - b.started || a.id - b.id);

/** Seconds since the round began, for people. */
export const clock = ({ started }: History, at: number) => `${((at - started) / 1000).toFixed(3)}s`;
