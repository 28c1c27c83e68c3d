import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { LockWorld } from './lock-world.js';
import { type Call, holding, type Plan } from './reference.js';

/** What a random run may do next; claims and tokens are chosen when it runs. */
type Whose = 'own' | 'newest' | 'old' | 'never' | 'none';
type One =
  | { op: 'claim'; plan: Plan; early: boolean }
  | { op: 'put'; pick: number; session: 'own' | 'other'; body: 'own' | 'other' }
  | { op: 'renew'; pick: number; session: 'own' | 'other'; whose: Whose; step: string | null }
  | { op: 'release'; pick: number; session: 'own' | 'other'; whose: Whose; proven: boolean }
  | { op: 'break'; whose: Whose; confirm: boolean }
  | { op: 'freeze'; forMs: number | null; replace: boolean }
  | { op: 'unfreeze' }
  | { op: 'roll'; whose: Whose; group: 'own' | 'foreign'; slow: boolean };
type Step =
  | { op: 'together'; calls: { one: One; replica: number }[] }
  | { op: 'poll'; pick: number; replica: number }
  | { op: 'advance'; ms: number; alive: boolean }
  | { op: 'pause'; ms: number; replica: number }
  | { op: 'stall'; ms: number }
  | { op: 'takeover'; replica: number }
  | { op: 'restart'; replica: number };

/** Mostly the first. */
const mostly = <T>(value: T, ...rest: T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, ...rest.map((other) => fc.constant(other)));

const plan: fc.Arbitrary<Plan> = fc.record({
  order: fc.option(
    fc.record({ key: fc.constantFrom('shop@main', 'shop@hotfix'), number: fc.integer({ min: 1, max: 6 }) }),
  ),
  ttlMs: fc.constantFrom(10_000, 30_000),
  maxHoldMs: mostly<number | null>(null, 20_000),
});
const pick = fc.nat({ max: 20 });
const session = mostly<'own' | 'other'>('own', 'other');
const one = (slow: fc.Arbitrary<boolean>): fc.Arbitrary<One> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constant('claim' as const), plan, early: mostly(false, true) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant('put' as const),
        pick,
        session,
        body: mostly<'own' | 'other'>('own', 'other'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant('renew' as const),
        pick,
        session,
        whose: mostly<Whose>('own', 'newest', 'old', 'never'),
        step: fc.constantFrom(null, 'rolling', 'verifying'),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        op: fc.constant('release' as const),
        pick,
        session,
        whose: mostly<Whose>('own', 'none', 'newest', 'old', 'never'),
        proven: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('break' as const),
        whose: mostly<Whose>('newest', 'old', 'never'),
        confirm: fc.boolean(),
      }),
    },
    {
      arbitrary: fc.record({
        op: fc.constant('freeze' as const),
        forMs: mostly<number | null>(null, 9_000),
        replace: fc.boolean(),
      }),
      weight: 1,
    },
    { arbitrary: fc.record({ op: fc.constant('unfreeze' as const) }), weight: 2 },
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constant('roll' as const),
        whose: mostly<Whose>('newest', 'old', 'never', 'none'),
        group: mostly<'own' | 'foreign'>('own', 'foreign'),
        slow,
      }),
    },
  );

const NO_ORDER: Plan = { order: null, ttlMs: 30_000, maxHoldMs: null };
const replica = fc.nat({ max: 1 });
const call = (slow: fc.Arbitrary<boolean>) => fc.record({ one: one(slow), replica });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ op: fc.constant('together' as const), calls: fc.tuple(call(fc.boolean())) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('together' as const),
      calls: fc.array(call(fc.constant(false)), { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('poll' as const), pick, replica }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('advance' as const),
      ms: mostly(3_000, 500, 6_000, 12_000, 21_000, 33_000, 64_000),
      alive: mostly(true, false, false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('pause' as const),
      ms: fc.constantFrom(5_000, 15_000, 40_000),
      replica,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('stall' as const), ms: fc.constantFrom(5_000, 40_000, 90_000) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('takeover' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const), replica }) },
);

class LockCommand implements fc.AsyncCommand<object, LockWorld> {
  constructor(private readonly step: Step) {}

  check(): boolean {
    return true;
  }

  async run(_model: object, world: LockWorld): Promise<void> {
    const { step } = this;
    switch (step.op) {
      case 'together': {
        const rolls = step.calls.filter(({ one }) => one.op === 'roll').length;
        const calls = step.calls.map(({ one, replica }) => ({
          replica,
          call: resolve(world, one, rolls > 1),
        }));
        return world.together(calls);
      }
      case 'poll': {
        const waiting = world.ref.queue.filter((claim) => !world.polls.has(claim));
        const claim = waiting[step.pick % Math.max(1, waiting.length)];
        if (claim !== undefined && !world.ref.frozen) await world.poll(claim, step.replica);
        return;
      }
      case 'advance':
        return world.advance(step.ms, step.alive ? { each: () => signsOfLife(world) } : {});
      case 'pause':
        return world.advance(step.ms, { paused: step.replica });
      case 'stall':
        return world.stall(step.ms);
      case 'takeover':
        return takeover(world, step.replica);
      case 'restart':
        return world.restart(step.replica);
    }
  }

  toString(): string {
    return JSON.stringify(this.step);
  }
}

/** The holder is ended in the middle of its roll, and whoever comes next rolls too. */
async function takeover(world: LockWorld, replica: number): Promise<void> {
  const parts: One[] = [
    { op: 'claim', plan: NO_ORDER, early: false },
    { op: 'roll', whose: 'newest', group: 'own', slow: true },
    { op: 'claim', plan: NO_ORDER, early: false },
    { op: 'break', whose: 'newest', confirm: true },
    { op: 'roll', whose: 'newest', group: 'own', slow: false },
  ];
  for (const part of parts) await world.together([{ replica, call: resolve(world, part, false) }]);
}

/** The holder renews and the waiters poll, as clients that are well do. */
async function signsOfLife(world: LockWorld): Promise<void> {
  const held = holding(world.ref);
  if (world.ref.holder !== null && held)
    await world.together([{ replica: 0, call: renewal(world.ref.holder, held.token ?? 0) }]);
  for (const claim of [...world.ref.queue]) {
    if (!world.polls.has(claim)) await world.together([{ replica: 1, call: repeat(world, claim) }]);
  }
}

const renewal = (claim: number, token: number): Call => ({
  do: 'renew',
  claim,
  session: 'own',
  token,
  step: null,
});
const repeat = (world: LockWorld, claim: number): Call => ({
  do: 'put',
  claim,
  plan: world.plans[claim] as Plan,
  session: 'own',
  body: 'own',
});

function resolve(world: LockWorld, one: One, contended: boolean): Call {
  const { ref, plans } = world;
  const make = (plan: Plan) =>
    plans.push({ ...plan, id: randomUUID(), session: `session-${randomUUID()}` }) - 1;
  const tokenOf = (whose: Whose, claim: number | null): number => {
    if (whose === 'own' && claim !== null) return ref.claims[claim]?.token ?? ref.tokens;
    return whose === 'newest' ? ref.tokens : whose === 'old' ? ref.tokens - 1 : ref.tokens + 9;
  };
  // Live claims are what most calls are about; the others must stay over.
  const live = ref.holder === null ? ref.queue : [ref.holder, ...ref.queue];
  const picked = (pick: number): number | null =>
    plans.length === 0
      ? null
      : ((pick % 3 > 0 ? live[pick % (live.length || 1)] : undefined) ?? pick % plans.length);
  switch (one.op) {
    case 'claim': {
      const claim = make(one.plan);
      if (one.early) return { do: 'release', claim, session: 'own', token: null, proven: false };
      return repeat(world, claim);
    }
    case 'put': {
      const claim = picked(one.pick);
      if (claim === null) return repeat(world, make(NO_ORDER));
      const known = ref.claims[claim] !== undefined;
      const { session, body } = one;
      return known ? ({ ...repeat(world, claim), session, body } as Call) : repeat(world, claim);
    }
    case 'renew': {
      const claim = one.pick % 2 > 0 && ref.holder !== null ? ref.holder : picked(one.pick);
      if (claim === null) return repeat(world, make(NO_ORDER));
      return { do: 'renew', claim, session: one.session, token: tokenOf(one.whose, claim), step: one.step };
    }
    case 'release': {
      const claim = picked(one.pick);
      if (claim === null) return repeat(world, make(NO_ORDER));
      const token = one.whose === 'none' ? null : tokenOf(one.whose, claim);
      return { do: 'release', claim, session: one.session, token, proven: one.proven };
    }
    case 'break':
      return { do: 'break', token: tokenOf(one.whose, null), confirm: one.confirm };
    case 'freeze':
      return { do: 'freeze', until: one.forMs === null ? null : ref.now + one.forMs, replace: one.replace };
    case 'unfreeze':
      return { do: 'unfreeze' };
    case 'roll': {
      const token = one.whose === 'none' ? null : tokenOf(one.whose, null);
      return { do: 'roll', token, group: one.group, slow: one.slow, contended };
    }
  }
}

export const lockCommands = (replayPath: string | undefined) =>
  fc.commands([step.map((one) => new LockCommand(one))], {
    maxCommands: 40,
    size: 'max',
    ...(replayPath && { replayPath }),
  });
