/** The picture of a rollout as SVG. Places along time are percentages, so that it fits any width without a script. */
import { formatDuration } from '../../text/duration.js';
import { type Content, html, type Markup } from './markup.js';
import type { Band, Lane, Picture } from './picture.js';

const LANE = 22;
const TRACK = 20;
const AXIS = 22;
/** Room for the last mark. */
const MARGIN = 0.015;
/** Of the whole width, for a number. */
const LEAST_LABEL = 0.025;
/** Steps between marks of the axis, in milliseconds. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map((s) => s * 1000),
);
/** Marks of the axis at most: at once, and as it is drawn wider. */
const TICKS = [5, 20, 80];

/** Names beside the plot, which scrolls when it is zoomed. @param anchor The fragment of a tenant's row; null: they have none. */
export function timeline(picture: Picture, anchor: ((tenant: number) => string) | null): Markup {
  const { lanes, bands, left } = picture;
  const endMs = picture.endMs * (1 + MARGIN);
  const hasSoak = bands.some(({ kind }) => kind === 'soak');
  const top = TRACK * (hasSoak ? 2 : 1);
  const height = top + lanes.length * LANE + AXIS;
  const x = (ms: number) => `${((ms / endMs) * 100).toFixed(2)}%`;
  const width = (from: number, to: number) => x(Math.max(to - from, endMs / 400));
  const scale = { x, width, endMs };
  return html`<div class="timeline">
<ol class="names${hasSoak && ' deep'}">${lanes.map(
    ({ name, tenant, proven }) =>
      html`<li class="${proven ? 'good' : 'bad'}">${
        tenant === null || !anchor
          ? html`<span>${name}</span>`
          : html`<a href="#${anchor(tenant)}">${name}</a>`
      }</li>`,
  )}</ol>
<div class="plot" tabindex="0" role="region" aria-label="Timeline, scrolls when zoomed">
<svg id="plot" width="100%" height="${height}" role="img" aria-label="${wordsOf(picture)}">
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="6" class="hatch"/></pattern></defs>
${bands.map((band, index) => drawBand(band, index, { ...scale, height: height - AXIS }))}
${ticks(endMs, x, height)}
${lanes.map((lane, index) => drawLane(lane, top + index * LANE, scale))}
</svg></div></div>
${left > 0 && html`<p class="note">And ${left} more that are not proven; the table has them all.</p>`}`;
}

function wordsOf({ lanes, bands, endMs }: Picture): string {
  const waves = bands.filter(({ kind }) => kind === 'wave').length;
  const open = lanes.filter(({ proven }) => !proven).length;
  return `Timeline of ${formatDuration(endMs)}: ${waves} waves, ${open} lanes not proven, ${lanes.length - open} proven. The table has the same in words.`;
}

interface Scale {
  endMs: number;
  x: (ms: number) => string;
  width: (from: number, to: number) => string;
}

function drawBand(
  { kind, name, from, to }: Band,
  index: number,
  { x, width, endMs, height }: Scale & { height: number },
): Markup {
  const words = `${name}: ${formatDuration(from)} to ${formatDuration(to)}, ${formatDuration(to - from)}`;
  const [y, tall] = kind === 'soak' ? [TRACK, height - TRACK] : [0, height];
  const part = (to - from) / endMs;
  const number = /^batch-(\d+)$/.exec(name)?.[1];
  // A batch that is too narrow for its name has its number, and then nothing.
  const short = part < LEAST_LABEL ? '' : (number ?? (part < 0.2 ? '' : name));
  return html`<svg class="band ${part < 0.06 ? 'slim' : part < 0.25 ? 'middling' : 'broad'}" x="${x(from)}" width="${width(from, to)}" y="${y}" height="${tall}"><title>${words}</title><rect class="${kind}${index % 2 > 0 && ' odd'}" width="100%" height="100%"/>${
    kind === 'soak' && html`<rect width="100%" height="100%" fill="url(#hatch)"/>`
  }<text class="long" x="5" y="14">${name}</text><text class="short" x="5" y="14">${short}</text></svg>
`;
}

function drawLane(
  { words, spans, marks, proven, tenant }: Lane,
  y: number,
  { x, width, endMs }: Scale,
): Markup {
  const middle = y + LANE / 2;
  const last = marks.findLast(({ kind }) => kind === 'proven');
  return html`<g><title>${words}</title><rect class="lane" y="${y}" width="100%" height="${LANE}"/>
${
  // From its proof on it is known to be on target.
  proven &&
  tenant !== null &&
  html`<line class="after" x1="${x(last?.at ?? 0)}" x2="100%" y1="${middle}" y2="${middle}"/>`
}${spans.map(
  ({ kind, from, to }) =>
    html`<rect class="${kind}" x="${x(from)}" width="${width(from, to)}" y="${middle - 5}" height="10" rx="2"/>`,
)}${tenant === null ? crowd(marks, y, endMs) : marks.map((mark) => drawMark(mark, x(mark.at), middle))}</g>
`;
}

function drawMark({ kind }: Lane['marks'][number], at: string, middle: number): Markup {
  switch (kind) {
    case 'rolled':
      return html`<line class="rolled" x1="${at}" x2="${at}" y1="${middle - 7}" y2="${middle + 7}"/>`;
    case 'proven':
      return html`<circle class="proven" cx="${at}" cy="${middle}" r="5"/>`;
    case 'flapped':
      return html`<text class="mark flapped" x="${at}" y="${middle + 5}">↺</text>`;
    case 'given_up':
      return html`<text class="mark given-up" x="${at}" y="${middle + 5}">✕</text>`;
  }
}

/** Many marks as one path: thousands of elements would take the page its second. */
function crowd(marks: Lane['marks'], y: number, endMs: number): Content {
  if (!marks.length) return null;
  const places = [...new Set(marks.map(({ at }) => Math.round((at / endMs) * 1000)))];
  const path = places.map((place) => `M${place} 0V10`).join('');
  return html`<svg y="${y + 6}" width="100%" height="10" viewBox="0 0 1000 10" preserveAspectRatio="none"><path class="crowd" d="${path}"/></svg>`;
}

/** Marks of the axis; the finer ones are shown as the picture gets wider. */
function ticks(endMs: number, x: (ms: number) => string, height: number): Markup[] {
  const drawn = new Set<number>();
  return TICKS.map((most, level) => {
    const step = STEPS.find((one) => endMs / one <= most) ?? endMs;
    const places = Array.from({ length: Math.floor(endMs / step) + 1 }, (_, index) => index * step).filter(
      (at) => !drawn.has(at),
    );
    for (const at of places) drawn.add(at);
    return html`<g class="ticks t${level}">${places.map(
      (at) =>
        html`<line x1="${x(at)}" x2="${x(at)}" y1="0" y2="${height - AXIS + 4}"/><text x="${x(at)}" y="${height - 5}" class="${edge(at / endMs)}">${at === 0 ? '0' : formatDuration(at)}</text>`,
    )}</g>
`;
  });
}

/** What stands at an edge is not cut off by it. */
const edge = (part: number) => (part < 0.02 ? 'first' : part > 0.95 ? 'last' : 'inner');
