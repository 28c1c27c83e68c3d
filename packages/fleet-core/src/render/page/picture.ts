/** The picture of a rollout as a model: what happened to whom, and when. Pure. */
import type { FleetResult, TenantResult, TimelineEntry } from '../../result/result.js';
import { formatDuration } from '../../text/duration.js';
import { plural } from '../../text/words.js';
import { statusOf, unproven } from '../result.js';

/** A stretch of the run: in the queue, a wave, the soak of its canary, an older roll that had to end. */
export interface Band {
  kind: 'queue' | 'draining' | 'wave' | 'soak';
  name: string;
  from: number;
  to: number;
}

/** No answer yet, another commit, the expected one and not proven by it. */
export type SpanKind = 'silent' | 'other' | 'confirming';
export type MarkKind = 'rolled' | 'proven' | 'flapped' | 'given_up';

/** A tenant, or the proven tenants of some waves together. */
export interface Lane {
  name: string;
  /** Its place among the tenants of the result; null for several. */
  tenant: number | null;
  proven: boolean;
  /** All of it in words. */
  words: string;
  spans: { kind: SpanKind | 'group'; from: number; to: number }[];
  marks: { kind: MarkKind; at: number }[];
}

/** Times are milliseconds since the start of the run. */
export interface Picture {
  endMs: number;
  bands: Band[];
  lanes: Lane[];
  /** Tenants not proven that have no lane, for want of room. */
  left: number;
}

/** More lanes than this are no picture any more: whoever is proven is drawn by waves then. */
const LANES_MAX = 60;
/** Of those that are not proven, and of the groups of the others. */
const EACH_MAX = 40;

/** What is drawn of a result, or of the record of one. */
type Pictured = Pick<FleetResult, 'timeline' | 'tenants' | 'started_at' | 'finished_at'>;

/** null where the document tells no times, or nothing happened in it. */
export function pictureOf(result: Pictured): Picture | null {
  const timeline = result.timeline ?? [];
  if (!timeline.some(({ slug }) => slug !== undefined)) return null;
  const took = Date.parse(result.finished_at) - Date.parse(result.started_at);
  const endMs = Math.max(1, took, timeline.at(-1)?.at_ms ?? 0);
  const told = new Map<string, TimelineEntry[]>();
  for (const entry of timeline) {
    if (entry.slug === undefined || !entry.event.startsWith('tenant.')) continue;
    const entries = told.get(entry.slug);
    if (entries) entries.push(entry);
    else told.set(entry.slug, [entry]);
  }
  const places = new Map(result.tenants.map(({ slug }, index) => [slug, index]));
  const lane = (tenant: TenantResult) =>
    laneOf(tenant, places.get(tenant.slug) ?? 0, told.get(tenant.slug) ?? [], endMs);
  const open = unproven(result);
  const proven = result.tenants
    .filter(({ status }) => status === 'on_target')
    .sort((one, other) => startOf(told.get(one.slug)) - startOf(told.get(other.slug)));
  const bands = bandsOf(timeline, endMs);
  const few = result.tenants.length <= LANES_MAX;
  const shown = few ? open : open.slice(0, EACH_MAX);
  return {
    endMs,
    bands,
    lanes: [...shown.map(lane), ...(few ? proven.map(lane) : groupsOf(proven, told))],
    left: open.length - shown.length,
  };
}

const startOf = (entries: TimelineEntry[] | undefined) =>
  entries?.find(({ event }) => event === 'tenant.rolled')?.at_ms ?? Number.MAX_SAFE_INTEGER;

function bandsOf(timeline: readonly TimelineEntry[], endMs: number): Band[] {
  const bands: Band[] = [];
  const open = (kind: Band['kind'], name: string, from: number) =>
    bands.push({ kind, name, from, to: endMs });
  const close = (kind: Band['kind'], to: number) => {
    const band = bands.findLast((one) => one.kind === kind);
    if (band?.to === endMs) band.to = to;
  };
  for (const { event, at_ms: at, phase } of timeline) {
    if (event === 'lock.waiting') open('queue', 'queue', at);
    if (event === 'lock.acquired') close('queue', at);
    if (event === 'lock.draining') open('draining', 'older roll', at);
    if (event === 'wave.started' || event === 'soak.started') close('draining', at);
    if (event === 'wave.started') open('wave', phase ?? 'wave', at);
    if (event === 'soak.started') open('soak', 'soak', at);
    if (event === 'soak.passed') close('soak', at);
    if (event === 'wave.proven' || event === 'wave.unproven') {
      close('soak', at);
      close('wave', at);
    }
  }
  return bands;
}

const SPAN_FROM: Record<string, SpanKind> = {
  'tenant.rolled': 'silent',
  'tenant.answered': 'other',
  'tenant.flipped': 'confirming',
  'tenant.flapped': 'other',
};
const MARKS: Record<string, MarkKind> = {
  'tenant.rolled': 'rolled',
  'tenant.proven': 'proven',
  'tenant.flapped': 'flapped',
  'tenant.given_up': 'given_up',
};
const WORDS: Record<string, string> = {
  'tenant.rolled': 'rolled',
  'tenant.answered': 'first answer, with another commit,',
  'tenant.flipped': 'first answer with the expected commit',
  'tenant.proven': 'proven',
  'tenant.flapped': 'fell back',
  'tenant.given_up': 'given up',
};

function laneOf(tenant: TenantResult, place: number, entries: TimelineEntry[], endMs: number): Lane {
  const spans = entries.flatMap(({ event, at_ms: from }, index) => {
    const kind = SPAN_FROM[event];
    return kind ? [{ kind, from, to: entries[index + 1]?.at_ms ?? endMs }] : [];
  });
  const marks = entries.flatMap(({ event, at_ms: at }) => {
    const kind = MARKS[event];
    return kind ? [{ kind, at }] : [];
  });
  const story = entries.flatMap(({ event, at_ms }) =>
    WORDS[event] ? [`${WORDS[event]} at ${formatDuration(at_ms)}`] : [],
  );
  const none = tenant.status === 'on_target' ? 'on target before' : 'not rolled';
  return {
    name: tenant.slug,
    tenant: place,
    proven: tenant.status === 'on_target',
    words: `${tenant.slug}, ${statusOf(tenant)}: ${story.join(', ') || none}`,
    spans,
    marks,
  };
}

/** The proven ones by wave, and waves side by side together where there are too many. */
function groupsOf(proven: TenantResult[], told: Map<string, TimelineEntry[]>): Lane[] {
  const waves = new Map<string, TenantResult[]>();
  for (const tenant of proven) {
    const key = tenant.phase ?? '';
    const wave = waves.get(key);
    if (wave) wave.push(tenant);
    else waves.set(key, [tenant]);
  }
  const before = waves.get('') ?? [];
  waves.delete('');
  const all = [...waves];
  const size = Math.max(1, Math.ceil(all.length / EACH_MAX));
  const lanes: Lane[] = [];
  for (let index = 0; index < all.length; index += size) {
    const these = all.slice(index, index + size);
    const [first, last] = [these[0]?.[0] ?? '', these.at(-1)?.[0] ?? ''];
    const tenants = these.flatMap(([, members]) => members);
    lanes.push(
      groupLane(first === last ? first : `${first} to ${last.replace(/^batch-/, '')}`, tenants, told),
    );
  }
  return before.length ? [...lanes, groupLane('not rolled', before, told)] : lanes;
}

function groupLane(name: string, tenants: TenantResult[], told: Map<string, TimelineEntry[]>): Lane {
  const at = (event: string) =>
    tenants.flatMap(({ slug }) => told.get(slug)?.find((one) => one.event === event)?.at_ms ?? []);
  const [rolled, proven] = [at('tenant.rolled'), at('tenant.proven')];
  const from = Math.min(...rolled);
  const to = Math.max(...proven, from);
  const times = rolled.length
    ? `rolled at ${formatDuration(from)}, the last proven at ${formatDuration(to)}`
    : '';
  return {
    name: `${name} · ${tenants.length}`,
    tenant: null,
    proven: true,
    words: `${name}, ${plural(tenants.length, 'tenant')} on target${times ? `: ${times}` : ''}`,
    spans: rolled.length ? [{ kind: 'group', from, to }] : [],
    marks: proven.map((time) => ({ kind: 'proven', at: time })),
  };
}
