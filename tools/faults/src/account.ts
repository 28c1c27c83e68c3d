/** What happened in a round, for people who look for the cause of a violation. */
import { clock, type History, type Run, resultOf } from './history.js';
import type { Task } from './script.js';

export function account(history: History): string[] {
  const { script, claims, rolls, swaps, injuries, runs, messages, answers, beats } = history;
  const lines: [number, string][] = [];
  const say = (at: number | null, text: string) => at !== null && lines.push([at, text]);
  for (const { at, kind, plane } of injuries)
    say(at, `! ${kind}${plane === null ? '' : ` of plane ${plane}`}`);
  for (const run of runs) {
    say(run.started, `${run.command.run} starts on plane ${run.command.plane}: ${wordsOf(run.command.task)}`);
    if (run.blow) say(run.blow.at, `! ${run.blow.kind} of ${run.command.run}`);
    say(run.ended, `${run.command.run} ends: ${endOf(run)}`);
  }
  for (const claim of claims) {
    const name = `claim ${claim.claim_id.slice(0, 8)} of ${claim.run} order ${claim.order_number ?? '-'}`;
    say(claim.acquired, `${name} granted as token ${claim.token}`);
    say(
      claim.ended,
      `${name} token ${claim.token ?? '-'} ${claim.state} ${claim.end_reason ?? ''} ${claim.result ?? ''}`,
    );
  }
  for (const roll of rolls) {
    say(
      roll.started,
      `roll ${roll.id} of token ${roll.token} to ${roll.target_tag}: ${roll.slugs.join(' ')}`,
    );
    say(roll.ended, `roll ${roll.id} closed: ${roll.result}`);
  }
  for (const { at, slug, to, rolls } of swaps)
    say(at, `  ${slug} runs ${to.slice(0, 7)} (roll ${rolls.join(' ')})`);
  for (const { at, run, method, path, trouble, status } of messages)
    if (trouble || /redeploy|release/.test(path))
      say(at, `  ${run} ${method} ${path} ${trouble ?? ''} ${status ?? 'no answer'}`);
  for (const { at, run, slug, sha, delivered, trouble } of answers)
    say(at, `  ${run} asks ${slug}: ${sha?.slice(0, 7) ?? '-'}${delivered ? '' : ' lost'} ${trouble ?? ''}`);
  for (const { at, run, token } of beats) say(at, `  command of ${run} alive under token ${token}`);
  lines.sort(([a], [b]) => a - b);
  return [
    `fleet: ${script.fleet.map(({ slug, behaviour, roll_ms, drain_ms, drain_mode }) => `${slug}(${behaviour} roll ${roll_ms} drain ${drain_ms} ${drain_mode})`).join(' ')}`,
    `images: ${script.images.map(({ tag }) => tag).join(' ')}; lease ${script.ttlSeconds} s; trouble ${JSON.stringify(script.trouble)}`,
    ...lines.map(([at, text]) => `${clock(history, at).padStart(9)}  ${text.trimEnd()}`),
  ];
}

export function wordsOf(task: Task): string {
  if (!('image' in task)) return task.kind;
  const words = [task.kind, task.image.tag];
  if ('order' in task) {
    const { order, strategy, batch, canary, stragglers, force } = task;
    words.push(`order ${order ?? '-'}`, strategy, `batch ${batch}`);
    if (canary) words.push(`canary ${canary}`);
    if (stragglers) words.push(`stragglers ${stragglers}`);
    if (force) words.push('force');
  }
  return words.join(' ');
}

function endOf(run: Run): string {
  const result = resultOf(run);
  const end = `code ${run.code ?? run.signal}`;
  return result
    ? `${end}, ${result.outcome}: ${result.reason}`
    : `${end}, ${run.stderr.trim().split('\n').at(-1)}`;
}
