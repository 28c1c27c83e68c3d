/** A result as Markdown, for the summary page of a CI server. */
import type { FleetResult } from '../result/result.js';
import { formatDuration } from '../text/duration.js';
import { type Band, type Lane, pictureOf } from './page/picture.js';
import { renderResult } from './result.js';

/** More rows than this are cut off, or too small to read. */
const ROWS_MAX = 40;

/** The closing block, and the timeline as a Mermaid chart: Gitea and GitHub draw those, and no SVG of one's own. */
export function renderSummary(result: FleetResult): string {
  const [verdict = '', ...rest] = renderResult(result).map(escapeMarkup);
  const chart = chartOf(result);
  return [`<h3>${verdict}</h3>`, `<pre>\n${rest.join('\n')}\n</pre>`, ...(chart ? ['', chart] : []), ''].join(
    '\n',
  );
}

const escapeMarkup = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;' })[character] ?? '&gt;');

function chartOf(result: FleetResult): string | null {
  const picture = pictureOf(result);
  if (!picture) return null;
  const start = Date.parse(result.started_at);
  const line = (name: string, look: string, from: number, to: number) =>
    `  ${name} :${look}${start + Math.round(from)}, ${start + Math.round(Math.max(to, from + 1))}`;
  const lanes = picture.lanes.filter(({ marks, spans }) => marks.length > 0 || spans.length > 0);
  const shown = lanes.slice(0, ROWS_MAX);
  const rows = (title: string, these: Lane[], sign: string, look: string) => [
    ...(these.length ? [`  section ${title}`] : []),
    ...these.map((lane) => line(`${sign} ${plainName(lane.name)}`, look, ...stretchOf(lane))),
  ];
  const waits = picture.bands.filter(({ kind }) => kind !== 'wave');
  const left = lanes.length - shown.length + picture.left;
  return [
    '```mermaid',
    'gantt',
    `  title ${formatDuration(picture.endMs)} from start to verdict`,
    '  dateFormat x',
    '  axisFormat %H:%M:%S',
    ...(waits.length ? ['  section Waiting'] : []),
    ...waits.map(({ name, from, to }: Band) => line(`· ${plainName(name)}`, '', from, to)),
    ...rows(
      'Not proven',
      shown.filter(({ proven }) => !proven),
      '✕',
      'crit, ',
    ),
    ...rows(
      'On target',
      shown.filter(({ proven }) => proven),
      '✓',
      'done, ',
    ),
    '```',
    ...(left > 0 ? [`And ${left} rows more; the report has them all.`] : []),
  ].join('\n');
}

/** From the first to the last that is known of it. */
function stretchOf({ spans, marks }: Lane): [from: number, to: number] {
  const times = [...spans.flatMap(({ from, to }) => [from, to]), ...marks.map(({ at }) => at)];
  return [Math.min(...times), Math.max(...times)];
}

/** Without what the chart would read as its own. */
const plainName = (name: string) => name.replace(/[^\p{L}\p{N} ·.-]/gu, '_');
