/** What a seed decides before a round begins: the fleet, who does what, and who is hurt when. */
import { Random } from './random.js';

export interface Image {
  tag: string;
  sha: string;
}

export interface TenantScript {
  slug: string;
  behaviour: 'ok' | 'stuck' | 'failed' | 'unhealthy';
  roll_ms: number;
  drain_ms: number;
  drain_mode: 'old' | 'alternate';
}

/** What happens to the process of a command, counted from its start. */
export interface Blow {
  kind: 'kill' | 'stop' | 'term' | 'int';
  atMs: number;
  /** How long it stays stopped. */
  forMs: number;
}

export interface RollOptions {
  image: Image;
  /** Place among the commits of the branch; null for a rollback, which has none. */
  order: number | null;
  strategy: 'scoped' | 'single-call';
  batch: number;
  canary: string | null;
  stragglers: number;
  force: boolean;
}

export type Task =
  | ({ kind: 'redeploy' | 'rollback' } & RollOptions)
  | { kind: 'verify' | 'plan'; image: Image }
  | { kind: 'lock-run'; forMs: number }
  | { kind: 'break' | 'unfreeze' }
  | { kind: 'freeze'; forMs: number };

export interface Command {
  /** Stands in the addresses that the command is given, so that every message names its sender. */
  run: string;
  /** Pause before it, after the one before. */
  afterMs: number;
  plane: 0 | 1;
  task: Task;
  blow: Blow | null;
}

/** What happens to the servers, counted from the start of the round. */
export interface Injury {
  kind: 'plane-kill' | 'plane-term' | 'plane-stop' | 'partition' | 'database-kill' | 'database-stop';
  plane: 0 | 1;
  atMs: number;
  forMs: number;
}

export interface Script {
  seed: number;
  fleet: TenantScript[];
  /** The first one is what all run at the beginning; commits of one branch, oldest first. */
  images: Image[];
  ttlSeconds: number;
  /** Share of messages to a control plane, and of questions to a tenant, that something happens to. */
  trouble: { calls: number; probes: number };
  /** Commands of each actor, one after the other. */
  actors: Command[][];
  injuries: Injury[];
}

const NAMES = [
  'acme',
  'birch',
  'cedar',
  'delta',
  'elm',
  'fjord',
  'grove',
  'heron',
  'iris',
  'juno',
  'kite',
  'lark',
];

export function decide(seed: number): Script {
  const random = new Random(seed, 'script');
  const images = Array.from({ length: 4 }, (_, index) => imageOf(random, index));
  const fleet = NAMES.slice(0, random.int(3, NAMES.length)).map((slug) => tenantOf(random, slug));
  const straggler = random.chance(0.1) ? random.pick(fleet) : null;
  if (straggler) straggler.behaviour = random.pick(['stuck', 'failed', 'unhealthy'] as const);
  const calm = random.chance(0.08);
  let runs = 0;
  const actors = Array.from({ length: random.int(2, 4) }, () =>
    Array.from({ length: random.int(2, 4) }, (_, turn): Command => {
      const task = taskOf(random, images, fleet);
      return {
        run: `run-${++runs}`,
        afterMs: turn === 0 ? random.int(0, 2500) : random.int(0, 1200),
        plane: random.pick([0, 1] as const),
        task,
        blow: calm || !random.chance(task.kind === 'redeploy' ? 0.35 : 0.2) ? null : blowOf(random),
      };
    }),
  );
  return {
    seed,
    fleet,
    images,
    ttlSeconds: random.pick([3, 5, 8]),
    trouble: calm
      ? { calls: 0, probes: 0 }
      : { calls: random.pick([0, 0.03, 0.1]), probes: random.pick([0, 0.03, 0.1]) },
    actors,
    injuries: calm ? [] : Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () => injuryOf(random)),
  };
}

function imageOf(random: Random, index: number): Image {
  const sha = Array.from({ length: 40 }, () => random.int(0, 15).toString(16)).join('');
  return { tag: `main-${index}-${sha.slice(0, 7)}`, sha };
}

function tenantOf(random: Random, slug: string): TenantScript {
  return {
    slug,
    behaviour: 'ok',
    roll_ms: random.chance(0.2) ? random.int(800, 3500) : random.int(30, 500),
    drain_ms: random.chance(0.3) ? random.int(100, 1500) : 0,
    drain_mode: random.chance(0.2) ? 'alternate' : 'old',
  };
}

function taskOf(random: Random, images: Image[], fleet: TenantScript[]): Task {
  const kind = random.weighted({
    redeploy: 60,
    rollback: 12,
    verify: 6,
    plan: 2,
    'lock-run': 10,
    break: 4,
    freeze: 3,
    unfreeze: 3,
  });
  switch (kind) {
    case 'redeploy':
    case 'rollback': {
      const place = kind === 'redeploy' ? random.int(1, images.length - 1) : random.int(0, images.length - 2);
      return {
        kind,
        image: images[place] as Image,
        order: kind === 'redeploy' ? place * 10 : null,
        strategy: random.chance(0.15) ? 'single-call' : 'scoped',
        batch: random.int(1, 6),
        canary: random.chance(0.3) ? random.pick(fleet).slug : null,
        stragglers: random.chance(0.15) ? 1 : 0,
        force: random.chance(0.05),
      };
    }
    case 'verify':
    case 'plan':
      return { kind, image: random.pick(images) };
    case 'lock-run':
      return { kind, forMs: random.int(300, 2500) };
    case 'freeze':
      return { kind, forMs: random.int(1000, 3000) };
    default:
      return { kind };
  }
}

function blowOf(random: Random): Blow {
  const kind = random.weighted({ kill: 3, stop: 3, term: 2, int: 2 });
  return { kind, atMs: random.int(500, 6000), forMs: random.int(300, 6000) };
}

function injuryOf(random: Random): Injury {
  const kind = random.weighted({
    'plane-kill': 4,
    'plane-term': 2,
    'plane-stop': 3,
    partition: 3,
    'database-kill': 2,
    'database-stop': 1,
  });
  return {
    kind,
    plane: random.pick([0, 1] as const),
    atMs: random.int(1000, 9000),
    forMs: random.int(200, 4000),
  };
}
