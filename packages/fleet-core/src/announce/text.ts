/** What alerts say. Texts of a result are bounded and safe already; here they are kept from being read as markup. */
import * as z from 'zod';
import { targetOf } from '../render/event.js';
import { countsInWords, renderResult, verdictOf } from '../render/result.js';
import type { FleetResult } from '../result/result.js';
import { parseJson } from '../text/json.js';
import { oneLine } from '../text/sanitize.js';
import { plural } from '../text/words.js';

/** What an alert issue remembers, in a comment at its very beginning. */
const stateSchema = z.object({
  environment: z.string(),
  /** When the first of the failures ended, ISO 8601. */
  since: z.iso.datetime(),
  /** Failed runs in a row. */
  runs: z.number().int().positive(),
  /** Page of the last one. */
  last_run: z.string().nullable(),
  /** What was told last, where the same again is not told anew. */
  about: z.string().optional(),
});
export type AlertState = z.infer<typeof stateSchema>;

const MARKER = /^<!-- fleet-alert (\{[^\n]*\}) -->\r?(?:\n|$)/;
const LONGEST_BLOCK = 12_000;

/** The state that an issue carries where it is an alert of fleet. Markers that are quoted further down are none. */
export function alertStateOf(body: string | null | undefined): AlertState | null {
  const json = MARKER.exec(body ?? '')?.[1];
  return (json && stateSchema.safeParse(parseJson(json)).data) || null;
}

/** The state after one more failure. */
export function nextState(
  before: AlertState | null,
  now: { environment: string; at: string; runUrl: string | null; about?: string | undefined },
): AlertState {
  return {
    environment: now.environment,
    since: before?.since ?? now.at,
    runs: (before?.runs ?? 0) + 1,
    last_run: now.runUrl,
    ...(now.about === undefined ? {} : { about: now.about }),
  };
}

/** Environment, verdict and target in one line. */
export function alertTitle(environment: string, result: FleetResult): string {
  const [verdict] = verdictOf(result).split(':');
  return oneLine(`fleet/${environment} ${verdict}: ${targetOf(result)} is not proven`, 200);
}

export const alertBody = (state: AlertState, result: FleetResult): string =>
  markedBody(state, [
    `${inARow(state)}${runLink(state)}`,
    '',
    block(renderResult(result)),
    '',
    'The next run that deploys this environment closes this issue; until then each failed run is counted here.',
    'It is found by its label and by its first line.',
  ]);

/** Lines behind the marker by which the alert is found again. */
export function markedBody(state: AlertState, lines: string[]): string {
  // An HTML comment ends at its first `-->`, whatever a name has in it.
  const json = JSON.stringify(state).replace(
    /[<>]|-(?=-)/g,
    (sign) => `\\u00${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return [`<!-- fleet-alert ${json} -->`, ...lines].join('\n');
}

/** Edits notify nobody, comments do. */
export const failureComment = (state: AlertState, result: FleetResult): string =>
  [`${inARow(state)}${runLink(state)}`, '', block(renderResult(result))].join('\n');

export const recoveryComment = (state: AlertState, result: FleetResult, runUrl: string | null): string =>
  [
    `Deployed again after ${since(state)}.${runLink({ last_run: runUrl })}`,
    '',
    block([verdictOf(result)]),
  ].join('\n');

/** Two runs that failed at once opened an issue each. */
export const duplicateComment = (other: number): string =>
  `Two runs failed at the same time and opened an issue each. This one goes on in #${other}.`;

/** The failure for a chat: few lines, no markup. */
export function chatFailure(environment: string, result: FleetResult, runUrl: string | null): string {
  return [
    alertTitle(environment, result),
    result.reason && `Reason: ${oneLine(result.reason, 400)}`,
    result.counts.enumerated > 0 && countsInWords(result),
    ...result.next.slice(0, 3).map((step) => `Next: ${oneLine(step, 300)}`),
    runUrl && `Run: ${runUrl}`,
  ]
    .filter(Boolean)
    .join('\n');
}

export const chatRecovery = (
  environment: string,
  state: AlertState,
  result: FleetResult,
  runUrl: string | null,
): string =>
  [
    oneLine(`fleet/${environment} is deployed again after ${since(state)}: ${targetOf(result)}`, 300),
    runUrl && `Run: ${runUrl}`,
  ]
    .filter(Boolean)
    .join('\n');

const since = ({ runs, since }: AlertState) => `${plural(runs, 'failed run')} since ${since}`;

const inARow = (state: AlertState) =>
  state.runs === 1
    ? `The run failed at ${state.since}.`
    : `${state.runs} runs in a row have failed since ${state.since}.`;

export const runLink = ({ last_run: url }: Pick<AlertState, 'last_run'>) => (url ? ` Run: <${url}>` : '');

/** Lines in a fence: what stands in it mentions nobody, refers to nothing and formats nothing. */
export function block(lines: string[]): string {
  const text = lines.join('\n').replaceAll('~~~', '~ ~ ~');
  const cut = text.length > LONGEST_BLOCK ? `${text.slice(0, LONGEST_BLOCK)}\n...` : text;
  return `~~~text\n${cut}\n~~~`;
}
