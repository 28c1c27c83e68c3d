/** Rollouts on record as plain lines. All texts in them were written by somebody else. */
import type { RolloutEntry } from '../contract.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';
import { drawing } from './drawing.js';
import type { Tone } from './event.js';
import { recordedPicture } from './page/recorded.js';

export interface HistoryLine {
  text: string;
  tone: Tone;
}

const COUNTS = ['enumerated', 'on_target', 'stale', 'unreachable', 'invalid', 'unhealthy', 'excused'];

/** A rollout, and the commit that was proven before it. */
type Past = RolloutEntry & { from_sha: string | null };

/** A line for each, in the order given: when, who, from what to what, verdict, how long it took, where to look. */
export const renderHistory = (rollouts: readonly Past[]): HistoryLine[] =>
  rollouts.map((entry) => ({ text: summary(entry), tone: toneOf(entry) }));

/** One rollout: its line, its reason, its counts, its picture and each of its tenants. */
export function renderRollout(entry: Past): HistoryLine[] {
  const { reason, counts, tenants } = entry.rollout;
  const plain = (text: string): HistoryLine => ({ text, tone: 'plain' });
  const numbers = COUNTS.map((name) => [name, counts?.[name] ?? 0] as const).filter(([, count]) => count > 0);
  return [
    { text: summary(entry), tone: toneOf(entry) },
    ...(reason ? [plain(`Reason: ${oneLine(reason, 400)}`)] : []),
    ...(numbers.length
      ? [plain(numbers.map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`).join(', '))]
      : []),
    ...drawing(recordedPicture(entry)).map(plain),
    ...(tenants ?? []).map(({ slug, status, phase, baseline_sha: was, observed_sha: is }) => {
      const parts = [
        `  ${oneLine(slug, 63)}: ${oneLine(status ?? 'not known', 40).replaceAll('_', ' ')}`,
        was && is && was !== is ? `${short(was)} -> ${short(is)}` : short(is ?? was),
        phase && `rolled in ${oneLine(phase, 60)}`,
      ];
      return {
        text: parts.filter(Boolean).join(', '),
        tone: status === 'on_target' ? 'plain' : 'warn',
      } as const;
    }),
  ];
}

const short = (sha: string | null | undefined) => (sha ? shortSha(oneLine(sha, 64)) : '');

function summary({ claim_id, holder, started_at, ended_at, rollout, from_sha, state }: Past): string {
  const ms = ended_at ? Date.parse(ended_at) - Date.parse(started_at) : Number.NaN;
  const url = rollout.run_url ?? holder.run_url;
  return [
    `${oneLine(claim_id).slice(0, 8)}  ${oneLine(started_at, 40).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$/, '$1 $2Z')}`,
    `${oneLine(holder.actor ?? holder.name)}`,
    `${short(from_sha) || 'unknown'} -> ${short(rollout.expected_sha) || 'unknown'} (${oneLine(rollout.target_tag, 128)})`,
    rollout.rollback ? 'rollback' : '',
    verdictOf(state, rollout.outcome),
    Number.isFinite(ms) ? `took ${formatDuration(Math.max(0, ms))}` : '',
    url ? oneLine(url, 300) : '',
  ]
    .filter(Boolean)
    .join('  ');
}

function verdictOf(state: RolloutEntry['state'], outcome: string | null | undefined): string {
  if (state === 'running') return 'RUNNING';
  return state === 'lost' || !outcome
    ? 'LOST: ended without a verdict'
    : oneLine(outcome, 60).replaceAll('_', ' ').toUpperCase();
}

function toneOf({ state, rollout }: RolloutEntry): Tone {
  if (state === 'running') return 'plain';
  if (state === 'ended' && rollout.outcome === 'succeeded') return 'good';
  return ['succeeded_with_quarantine', 'superseded', 'held'].includes(`${rollout.outcome}`) ? 'warn' : 'bad';
}
