import pg from 'pg';
import { expect } from 'vitest';

/** The committed state of one lock group, read in one statement. */
export interface Snapshot {
  lastToken: number;
  frozen: unknown;
  claims: {
    id: string;
    state: string;
    place: number;
    token: number | null;
    number: number | null;
    key: string | null;
    polls: number;
  }[];
  events: { seq: number; kind: string; id: string | null; token: number | null }[];
  rolls: { token: number; start: number; end: number | null; result: string | null }[];
  marks: Record<string, number>;
}

const READ = `SELECT json_build_object(
  'lastToken', coalesce((SELECT last_token FROM lock_groups WHERE name = $1), 0),
  'frozen', (SELECT frozen FROM lock_groups WHERE name = $1),
  'claims', (SELECT coalesce(json_agg(json_build_object('id', claim_id, 'state', state, 'place', place, 'token', token,
    'number', order_number, 'key', order_key, 'polls', poll_seq) ORDER BY place), '[]') FROM lock_claims WHERE group_name = $1),
  'events', (SELECT coalesce(json_agg(json_build_object('seq', seq, 'kind', kind, 'id', claim_id,
    'token', fencing_token) ORDER BY seq), '[]') FROM lock_events WHERE group_name = $1),
  'rolls', (SELECT coalesce(json_agg(json_build_object('token', fencing_token, 'start', extract(epoch FROM started_at),
    'end', extract(epoch FROM ended_at), 'result', result) ORDER BY id), '[]') FROM rolls WHERE group_name = $1),
  'marks', (SELECT coalesce(json_object_agg(key, number), '{}') FROM lock_order_marks WHERE group_name = $1)) AS s`;

/** Reads a group again and again over one connection. */
export class Witness {
  private before: Snapshot | null = null;

  constructor(
    private readonly client: pg.Client,
    private readonly group: string,
  ) {}

  static async connect(url: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  }

  async read(): Promise<Snapshot> {
    return (await this.client.query({ name: 'witness', text: READ, values: [this.group] })).rows[0].s;
  }

  /** Checks everything that must hold whatever was asked of the server. */
  async check(): Promise<Snapshot> {
    const now = await this.read();
    holdersAndQueue(now);
    auditTellsAll(now);
    rollsNeverOverlap(now);
    if (this.before) onlyGrows(this.before, now);
    this.before = now;
    return now;
  }
}

const LIVE = ['queued', 'held'];

/** One holder, with the highest token of all; nobody waits for a lock that is free; a place is nobody else's. */
function holdersAndQueue({ claims, lastToken, frozen }: Snapshot): void {
  const held = claims.filter((claim) => claim.state === 'held');
  const queued = claims.filter((claim) => claim.state === 'queued');
  expect(held.length, 'one holder').toBeLessThanOrEqual(1);
  const tokens = claims.flatMap((claim) => claim.token ?? []);
  expect(new Set(tokens).size, 'a token is never shared').toBe(tokens.length);
  expect(Math.max(0, ...tokens), 'the last token is the highest').toBe(lastToken);
  if (held[0]) expect(held[0].token, 'the holder has the newest token').toBe(lastToken);
  else if (!frozen) expect(queued, 'nobody waits for a free lock').toEqual([]);
  expect(new Set(queued.map((claim) => claim.place)).size, 'a place has one claim').toBe(queued.length);
}

/** The audit log alone gives the state of every claim, and grants in growing order of tokens. */
function auditTellsAll({ claims, events, lastToken }: Snapshot): void {
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  const told = new Map<string, string>();
  let token = 0;
  for (const { kind, id, token: granted } of events) {
    if (id === null) continue;
    const from = told.get(id);
    expect(from === undefined || LIVE.includes(from), `${kind} of a claim that is over`).toBe(true);
    expect(from === 'held' && kind === 'queued', 'nobody goes back to the queue').toBe(false);
    if (kind === 'granted') {
      expect(granted ?? 0, 'tokens grow').toBeGreaterThan(token);
      token = granted ?? 0;
    }
    told.set(id, kind === 'granted' ? 'held' : kind);
  }
  expect(token).toBe(lastToken);
  expect(Object.fromEntries(told), 'one row for every transition').toEqual(
    Object.fromEntries(claims.map((claim) => [claim.id, claim.state])),
  );
}

/** No roll begins before the one before it ended, and none under an older token. */
function rollsNeverOverlap({ rolls }: Snapshot): void {
  for (const [index, roll] of rolls.entries()) {
    const before = rolls[index - 1];
    if (!before) continue;
    expect(before.end, 'a roll begins while another is open').not.toBeNull();
    expect(roll.start, 'rolls overlap').toBeGreaterThanOrEqual(before.end ?? Number.POSITIVE_INFINITY);
    expect(roll.token, 'a roll under an older token').toBeGreaterThanOrEqual(before.token);
  }
}

/** What is over stays over; a waiter keeps its place; grants follow the places and the orders that rolled. */
function onlyGrows(before: Snapshot, now: Snapshot): void {
  const after = new Map(now.claims.map((claim) => [claim.id, claim]));
  expect(now.lastToken).toBeGreaterThanOrEqual(before.lastToken);
  expect(now.events.slice(0, before.events.length), 'the log is only added to').toEqual(before.events);
  for (const old of before.claims) {
    const claim = after.get(old.id);
    if (!LIVE.includes(old.state)) expect(claim, 'over stays over').toEqual(old);
    if (old.state === 'queued') expect(claim?.place, 'a place is kept').toBe(old.place);
    if (old.token !== null) expect(claim?.token, 'a token is kept').toBe(old.token);
    if (old.state === 'held')
      expect(['queued', 'superseded', 'outdated', 'left']).not.toContain(claim?.state);
    const mark = old.key === null ? undefined : before.marks[old.key];
    if (old.state === 'queued' && claim?.state === 'held' && mark !== undefined)
      expect(old.number ?? mark, 'no grant to an outdated order').toBeGreaterThanOrEqual(mark);
  }
  for (const [key, number] of Object.entries(before.marks))
    expect(now.marks[key] ?? -1, 'a mark never sinks').toBeGreaterThanOrEqual(number);
}
