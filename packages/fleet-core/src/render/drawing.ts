/** The picture of a rollout in lines of plain signs, for a terminal of 40 columns and more. */
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import type { Lane, MarkKind, Picture, SpanKind } from './page/picture.js';

const NAME = 12;
const WIDTH = 24;
const SPANS: Record<SpanKind | 'group', string> = { silent: '.', other: '-', confirming: '+', group: '=' };
const MARKS: Record<MarkKind, string> = { rolled: '|', proven: '*', flapped: '~', given_up: 'x' };
/** More waves than this are left out: the tenants tell enough. */
const BANDS_MAX = 40;
const LEGEND = '| rolled, . no answer, - another commit, + flipped, * proven, x given up';

/** Nothing where there is no picture. */
export function drawing(picture: Picture | null): string[] {
  if (!picture) return [];
  const { bands, lanes, left, endMs } = picture;
  const place = (ms: number) => Math.min(WIDTH - 1, Math.floor((ms / endMs) * WIDTH));
  const line = (name: string, signs: string[]) =>
    `  ${oneLine(name, NAME).padEnd(NAME)} ${signs.join('')}`.trimEnd();
  const fill = (signs: string[], sign: string, from: number, to: number) =>
    signs.fill(sign, place(from), Math.max(place(from), place(to)) + 1);
  return [
    `Timeline, ${formatDuration(endMs)} from left to right: ${LEGEND}`,
    ...bands
      .filter(({ kind }) => kind !== 'wave' || bands.length <= BANDS_MAX)
      .map(({ name, from, to }) => line(name, fill(blank(), '=', from, to))),
    ...lanes.filter(isTold).map(({ name, spans, marks }) => {
      const signs = blank();
      for (const { kind, from, to } of spans) fill(signs, SPANS[kind], from, to);
      for (const { kind, at } of marks) signs[place(at)] = MARKS[kind];
      return line(name, signs);
    }),
    ...(left ? [`  and ${left} more that are not proven`] : []),
  ];
}

const blank = (): string[] => Array.from({ length: WIDTH }, () => ' ');
const isTold = ({ spans, marks }: Lane) => spans.length > 0 || marks.length > 0;
