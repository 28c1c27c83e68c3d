/** Rollouts that a server runs, as lines for people. */
import type { ServerRollout } from '../contract.js';
import { resultSchema } from '../result/result.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';
import type { HistoryLine } from './history.js';
import { renderResult } from './result.js';

/** How much of an id is enough to name a rollout. */
const ID_LENGTH = 8;

/** One line each. */
export const renderServerRollouts = (rollouts: readonly ServerRollout[]): HistoryLine[] =>
  rollouts.map((rollout) => ({ text: lineOf(rollout), tone: toneOf(rollout) }));

/** One rollout, with the closing block of its verdict where it has one. */
export function renderServerRollout(rollout: ServerRollout): HistoryLine[] {
  const { wish, reason, result } = rollout;
  const lines: HistoryLine[] = [{ text: lineOf(rollout), tone: toneOf(rollout) }];
  if (wish)
    lines.push({
      text: `${oneLine(wish.kind)} asked for by ${oneLine(wish.actor)}: ${oneLine(wish.reason)}`,
      tone: 'warn',
    });
  const verdict = resultSchema.safeParse(result);
  if (verdict.success)
    lines.push(...renderResult(verdict.data).map((text) => ({ text, tone: 'plain' as const })));
  else if (reason) lines.push({ text: `Reason: ${oneLine(reason, 400)}`, tone: 'plain' });
  return lines;
}

function lineOf(rollout: ServerRollout): string {
  const { id, state, outcome, environment, target_tag: tag, expected_sha: sha, holder, takeovers } = rollout;
  const by = holder.actor ?? holder.name;
  return [
    oneLine(id.slice(0, ID_LENGTH)),
    oneLine(rollout.created_at.slice(0, 16).replace('T', ' ')),
    oneLine(outcome ?? state),
    `${oneLine(environment)} to ${oneLine(tag)} (${oneLine(shortSha(sha))})`,
    `by ${oneLine(by)}`,
    ...(takeovers ? [`taken over ${takeovers === 1 ? 'once' : `${takeovers} times`}`] : []),
  ].join('  ');
}

function toneOf({ state, outcome }: ServerRollout): HistoryLine['tone'] {
  if (state !== 'ended') return state === 'paused' ? 'warn' : 'plain';
  if (outcome === 'succeeded') return 'good';
  return ['succeeded_with_quarantine', 'superseded'].includes(outcome ?? '') ? 'warn' : 'bad';
}
