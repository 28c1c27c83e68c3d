/** A run under way as the lines of one screen. Pure: events and clock go in, lines come out that fit. */
import type { Tone } from '@tenant-fleet/fleet-core/render';
import stringWidth from 'string-width';
import type { Progress, Wave } from './progress.js';

export interface Line {
  text: string;
  tone: Tone;
}

export interface Screen {
  columns: number;
  rows: number;
  /** Milliseconds since 1970. */
  now: number;
  /** Nothing but ASCII. */
  ascii: boolean;
  /** What the person may press; empty where no key is heard. */
  keys: string[];
  /** It was asked to stop after this wave. */
  stopping: boolean;
}

const SIGNS = {
  good: ['✓', '+'],
  bad: ['✕', 'x'],
  now: ['▶', '>'],
  idle: ['·', '.'],
  full: ['█', '#'],
  empty: ['░', '-'],
  more: ['…', '...'],
} as const;
const LONGEST_BAR = 30;
/** More of those under way are not read one by one. */
const WAITING_MAX = 8;

/** At most `rows - 1` lines, none wider than `columns`. Who is behind stands before what is well. */
export function frameOf(progress: Progress, screen: Screen): Line[] {
  const room = Math.max(3, screen.rows - 1);
  const head = header(progress, screen);
  const foot = footer(screen);
  let left = room - head.length - foot.length;
  const take = (lines: Line[], share: number) => {
    const taken = folded(lines, Math.max(0, Math.min(left, share)), screen);
    left -= taken.length;
    return taken;
  };
  const behind = take(behindLines(progress, screen), Math.max(2, Math.ceil(left / 3)));
  const waves = waveLines(progress, screen, Math.max(1, Math.ceil(left / 2)));
  left -= waves.length;
  const waiting = take(waitingLines(progress, screen), WAITING_MAX);
  return [...head, ...behind, ...waves, ...waiting, ...foot].slice(0, room).map(({ text, tone }) => ({
    text: fitted(text, screen),
    tone,
  }));
}

const line = (text: string, tone: Tone = 'plain'): Line => ({ text, tone });
const sign = (name: keyof typeof SIGNS, { ascii }: Screen): string => SIGNS[name][ascii ? 1 : 0];

function header(
  { title, startedAt, timeoutMs, doing, tenants, onTarget, behind }: Progress,
  screen: Screen,
): Line[] {
  const { now, columns } = screen;
  const elapsed = startedAt === null ? '' : `${clock(now - startedAt)} of ${clock(timeoutMs)}`;
  const gap = columns - stringWidth(title) - elapsed.length;
  const first = gap >= 2 ? [line(title + ' '.repeat(gap) + elapsed)] : [line(title), line(elapsed, 'quiet')];
  const ran = now - doing.since;
  const left = doing.lastsMs === null ? '' : `, ${clock(Math.max(0, doing.lastsMs - ran))} left`;
  const phase = doing.what && doing.since ? `${doing.what}, ${clock(ran)}${left}` : doing.what;
  if (phase) first.push(line(phase));
  if (!tenants.size) return first;
  const counts = `${onTarget.size} of ${tenants.size} on target${behind.size ? `, ${behind.size} not` : ''}`;
  const width = Math.min(LONGEST_BAR, columns - counts.length - 1);
  const drawn = width >= 5 ? `${bar(onTarget.size / tenants.size, width, screen)} ` : '';
  return [...first, line(drawn + counts, behind.size ? 'bad' : 'plain')];
}

function footer({ keys, stopping }: Screen): Line[] {
  if (stopping) return [line('stops after this wave; Ctrl-C: at once', 'warn')];
  return keys.length ? [line(keys.join(' | '), 'quiet')] : [];
}

const behindLines = ({ behind }: Progress, screen: Screen): Line[] =>
  [...behind].map(([slug, why]) => line(`${sign('bad', screen)} ${slug}: ${why}`, 'bad'));

const waitingLines = ({ waiting }: Progress, screen: Screen): Line[] =>
  [...waiting].map(([slug, why]) => line(`  ${sign('idle', screen)} ${slug}: ${why}`, 'quiet'));

/** The wave under way whole; what is done and what is to come in one line each where there is no room for more. */
function waveLines({ waves }: Progress, screen: Screen, most: number): Line[] {
  const width = Math.max(0, ...waves.map(({ phase }) => phase.length));
  const drawn = (these: Wave[]) => these.map((wave) => waveLine(wave, width, screen));
  if (waves.length <= most) return drawn(waves);
  const [done, current, next] = [
    waves.filter(({ to }) => to !== null),
    waves.filter(({ from, to }) => from !== null && to === null),
    waves.filter(({ from }) => from === null),
  ];
  const sum = (these: Wave[], what: string, name: keyof typeof SIGNS, tone: Tone) =>
    these.length
      ? [
          line(
            `${sign(name, screen)} ${plural(these.length, 'wave')} ${what}, ${plural(these.flatMap(({ slugs }) => slugs).length, 'tenant')}`,
            tone,
          ),
        ]
      : [];
  const isBad = ({ state }: Wave) => state === 'not proven';
  return [
    ...sum(done.filter(isBad), 'not proven', 'bad', 'bad'),
    ...sum(
      done.filter((wave) => !isBad(wave)),
      'proven',
      'good',
      'good',
    ),
    ...drawn(current),
    ...sum(next, 'to come', 'idle', 'quiet'),
  ].slice(0, most);
}

function waveLine({ phase, slugs, state, proven, from, to }: Wave, width: number, screen: Screen): Line {
  const { columns, now } = screen;
  const [name, tone] = LOOKS[state];
  const counts = `${proven.size}/${slugs.length}`;
  const time = from === null ? '' : ` ${clock((to ?? now) - from)}`;
  const words = ` ${counts} ${state}${time}`;
  const room = Math.min(20, columns - 2 - width - 1 - words.length);
  const drawn = room >= 5 ? bar(proven.size / Math.max(1, slugs.length), room, screen) : '';
  return line(`${sign(name, screen)} ${phase.padEnd(width)} ${drawn}${words}`, tone);
}

const LOOKS: Record<Wave['state'], [keyof typeof SIGNS, Tone]> = {
  'to come': ['idle', 'quiet'],
  rolling: ['now', 'plain'],
  verifying: ['now', 'plain'],
  soaking: ['now', 'plain'],
  proven: ['good', 'good'],
  'not proven': ['bad', 'bad'],
};

/** Never full before all is done, and never empty once something is. */
function bar(part: number, width: number, screen: Screen): string {
  const full = part >= 1 ? width : Math.min(width - 1, Math.max(part > 0 ? 1 : 0, Math.floor(part * width)));
  return sign('full', screen).repeat(full) + sign('empty', screen).repeat(width - full);
}

function folded(lines: Line[], most: number, screen: Screen): Line[] {
  if (lines.length <= most) return lines;
  if (most < 1) return [];
  const more = lines.length - most + 1;
  return [...lines.slice(0, most - 1), line(`  ${sign('more', screen)} and ${more} more`, lines[0]?.tone)];
}

/** Cut between words where it is too long, inside one only where that is wider than the screen. */
export function fitted(text: string, { columns, ascii }: Pick<Screen, 'columns' | 'ascii'>): string {
  const plain = ascii ? text.replaceAll('…', '...').replace(/[^\x20-\x7e]/g, '?') : text;
  if (stringWidth(plain) <= columns) return plain;
  const end = ascii ? '...' : '…';
  let cut = '';
  for (const character of plain) {
    if (stringWidth(cut + character) > columns - end.length) break;
    cut += character;
  }
  const isBroken = plain[cut.length] !== ' ' && /\S\s+\S/.test(cut);
  return (isBroken ? cut.replace(/\s+\S*$/, '') : cut.trimEnd()) + end;
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `0:07`, `12:40`, `1:02:03`: as wide at every tick. */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
