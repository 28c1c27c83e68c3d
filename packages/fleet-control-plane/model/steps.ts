import type { Broken } from './breaks.js';
import type { Log } from './log.js';
import { Rolls } from './rolls.js';
import { Server } from './server.js';
import {
  type Bounds,
  GONE,
  HOLDING,
  heldOf,
  knowsToken,
  LOOKING,
  QUEUED,
  requestsOf,
  type State,
  USABLE,
  WAITING,
} from './world.js';

/**
 * Everything that can happen next. Messages need no channels: from the moment at which its content is known a message
 * counts as sent, and it arrives late, never, or any number of times. A client that stops, by its timer or by dying,
 * is one of which nothing more arrives, so clients that never notice a loss stand for all.
 */
export type Step =
  | { kind: 'put'; process: number }
  | { kind: 'learn'; process: number }
  | { kind: 'give_up'; process: number }
  | { kind: 'release'; process: number }
  | { kind: 'look'; process: number }
  | { kind: 'prove'; process: number; goesOn: boolean }
  | { kind: 'renew'; process: number }
  | { kind: 'roll'; process: number; call: number; heard: boolean }
  | { kind: 'give_up_roll'; process: number; call: number }
  | { kind: 'unfenced' }
  | { kind: 'observe' }
  | { kind: 'expire' }
  | { kind: 'abandon'; claim: number }
  | { kind: 'break'; of: 'claim' | 'process'; index: number }
  | { kind: 'freeze' }
  | { kind: 'unfreeze' }
  | { kind: 'finish'; roll: number }
  | { kind: 'close'; roll: number }
  | { kind: 'tidy'; roll: number }
  | { kind: 'finish_orphan' }
  | { kind: 'restart' }
  | { kind: 'fall_behind' }
  | { kind: 'failover' }
  | { kind: 'back_up' }
  | { kind: 'restore' };

/** All steps that these bounds know; whether one is possible depends on the state. */
export function allSteps(bounds: Bounds, claims: number): Step[] {
  const steps: Step[] = [];
  bounds.processes.forEach((_, process) => {
    steps.push(
      { kind: 'put', process },
      { kind: 'learn', process },
      { kind: 'give_up', process },
      { kind: 'release', process },
      { kind: 'renew', process },
      { kind: 'look', process },
      { kind: 'prove', process, goesOn: false },
      { kind: 'prove', process, goesOn: true },
    );
    for (let call = 0; call < bounds.rolls; call++) steps.push({ kind: 'give_up_roll', process, call });
    for (let call = 0; call < bounds.rolls; call++)
      for (const heard of [true, false]) steps.push({ kind: 'roll', process, call, heard });
  });
  steps.push({ kind: 'unfenced' }, { kind: 'observe' }, { kind: 'expire' });
  for (let claim = 0; claim < claims; claim++) steps.push({ kind: 'abandon', claim });
  for (let claim = 0; claim < claims; claim++) steps.push({ kind: 'break', of: 'claim', index: claim });
  // A token that a failover has lost is known only to who was granted it.
  if (bounds.failovers > 0)
    bounds.processes.forEach((_, process) => {
      steps.push({ kind: 'break', of: 'process', index: process });
    });
  for (let roll = 0; roll < requestsOf(bounds); roll++)
    steps.push({ kind: 'finish', roll }, { kind: 'close', roll }, { kind: 'tidy', roll });
  if (bounds.freeze) steps.push({ kind: 'freeze' }, { kind: 'unfreeze' });
  if (bounds.restart) steps.push({ kind: 'restart' });
  if (bounds.failovers > 0)
    steps.push({ kind: 'fall_behind' }, { kind: 'failover' }, { kind: 'finish_orphan' });
  if (bounds.restores > 0) steps.push({ kind: 'back_up' }, { kind: 'restore' });
  return steps;
}

/** Takes one step in place. False: it is not possible here, and the state is as it was. */
export function take(step: Step, bounds: Bounds, broken: Broken, state: State, log: Log): boolean {
  const server = new Server(bounds, broken, state, log);
  const rolls = new Rolls(bounds, broken, state, log);
  switch (step.kind) {
    case 'put':
    case 'learn':
    case 'give_up':
    case 'release':
    case 'renew':
    case 'look':
    case 'prove':
    case 'roll':
    case 'give_up_roll':
      return client(step, bounds, broken, state, log, server, rolls);
    case 'unfenced':
      rolls.unfenced();
      return true;
    case 'observe':
      if (heldOf(state.db) < 0 || state.seen === 1) return false;
      state.seen = 1;
      return true;
    case 'expire':
      return server.expire();
    case 'abandon':
      if (state.db.claims[step.claim]?.state !== QUEUED) return false;
      server.abandon(step.claim);
      return true;
    case 'break': {
      const token = tokenOf(step, state);
      if (token === 0) return false;
      server.breakHold(token);
      return true;
    }
    case 'freeze':
      if (state.db.frozen) return false;
      server.freeze();
      return true;
    case 'unfreeze':
      if (!state.db.frozen) return false;
      server.unfreeze();
      return true;
    default:
      return roll(step, bounds, state, rolls);
  }
}

export function tokenOf({ of, index }: Extract<Step, { kind: 'break' }>, state: State): number {
  return (of === 'claim' ? state.db.claims[index]?.token : state.processes[index]?.token) ?? 0;
}

type ClientStep = Extract<Step, { process: number }>;
type RollStep = Exclude<
  Step,
  ClientStep | { kind: 'unfenced' | 'observe' | 'expire' | 'abandon' | 'break' | 'freeze' | 'unfreeze' }
>;

function client(
  step: ClientStep,
  bounds: Bounds,
  broken: Broken,
  state: State,
  log: Log,
  server: Server,
  rolls: Rolls,
): boolean {
  const { process } = step;
  const self = state.processes[process];
  const claim = state.db.claims[bounds.processes[process]?.claim ?? 0];
  if (!self || !claim) return false;
  switch (step.kind) {
    case 'put':
      server.put(process);
      return true;
    case 'learn':
      // The answer may arrive at once, or when what it says is long over.
      if (self.at !== WAITING || claim.token === 0 || !(claim.by === process || broken.sessionUnchecked))
        return false;
      self.token = claim.token;
      self.at = rolls.tells(self.token) ? HOLDING : USABLE;
      return true;
    case 'give_up':
      if (self.at !== WAITING) return false;
      self.at = GONE;
      return true;
    case 'release':
      if (self.at === WAITING) return false;
      server.release(process, self.token);
      return true;
    case 'renew':
      if (!knowsToken(self)) return false;
      if (server.renew(process, self.token) && !rolls.tells(self.token) && self.at === HOLDING)
        self.at = USABLE;
      return true;
    case 'look':
      // After the answer that made its lease usable, and when every request of its own has ended or was given up.
      if (self.at !== USABLE && !(broken.workWhileDraining && self.at === HOLDING)) return false;
      if (!rolls.settled(process) && !broken.lookUnsettled) return false;
      self.at = LOOKING;
      return true;
    case 'prove':
      if (self.at !== LOOKING) return false;
      if (step.goesOn) server.proveOn(process, self.token);
      else server.release(process, self.token, true);
      return true;
    case 'give_up_roll':
      if (!knowsToken(self)) return false;
      rolls.giveUp(process, step.call);
      return true;
    case 'roll':
      if (!knowsToken(self)) return false;
      rolls.request(process, step.call, step.heard);
      // What starts nothing is the same either way.
      return step.heard || log.started >= 0;
  }
}

function roll(step: RollStep, bounds: Bounds, state: State, rolls: Rolls): boolean {
  switch (step.kind) {
    case 'finish':
      if (!state.running[step.roll]) return false;
      rolls.finish(step.roll);
      return true;
    case 'close':
      return rolls.close(step.roll);
    case 'tidy':
      return rolls.tidy(step.roll);
    case 'finish_orphan':
      if (!state.orphan) return false;
      state.orphan = false;
      state.sameId = 0;
      return true;
    case 'restart':
      rolls.restart();
      return true;
    case 'fall_behind':
      if (state.timeline > bounds.failovers || state.standby) return false;
      state.standby = state.db;
      return true;
    case 'failover':
      if (!state.standby) return false;
      rolls.failover();
      return true;
    case 'back_up':
      if (state.restored >= bounds.restores || state.standby) return false;
      state.standby = state.db;
      return true;
    case 'restore':
      if (!state.standby || state.restored >= bounds.restores) return false;
      rolls.restore();
      return true;
  }
}

/** A step in words. */
export function tell(step: Step): string {
  const who = 'process' in step ? `process ${'ABCDEFGH'[step.process]}` : '';
  switch (step.kind) {
    case 'put':
      return `the claim of ${who} arrives`;
    case 'learn':
      return `${who} hears of its grant`;
    case 'give_up':
      return `${who} gives up waiting`;
    case 'release':
      return `a release of ${who} arrives`;
    case 'look':
      return `${who} looks at the tenants for its verdict`;
    case 'prove':
      return step.goesOn
        ? `a proof of ${who} arrives, whose lease goes on`
        : `a release of ${who} arrives that proves the fleet`;
    case 'give_up_roll':
      return `${who} gives up its roll request ${step.call + 1}`;
    case 'renew':
      return `a renewal of ${who} arrives`;
    case 'roll':
      return `roll request ${step.call + 1} of ${who} arrives${step.heard ? '' : ', and the answer to its commit is lost'}`;
    case 'unfenced':
      return 'a roll request without a fence arrives';
    case 'observe':
      return 'the server looks at the holder';
    case 'expire':
      return 'the server expires the holder that it looked at';
    case 'abandon':
      return `claim ${step.claim + 1} is abandoned`;
    case 'break':
      return `a person sends a break for the token of ${step.of} ${step.of === 'claim' ? step.index + 1 : 'ABCDEFGH'[step.index]}`;
    case 'finish':
      return `roll ${step.roll + 1} comes to its end`;
    case 'close':
      return `roll ${step.roll + 1} is closed by another control plane`;
    case 'tidy':
      return `roll ${step.roll + 1} is closed by its owner, which is not carrying it out`;
    case 'finish_orphan':
      return 'the roll whose record was lost comes to its end';
    case 'restart':
      return 'every control plane restarts';
    case 'fall_behind':
      return 'the standby falls behind';
    case 'failover':
      return 'the standby is promoted';
    case 'back_up':
      return 'a backup is made';
    case 'restore':
      return 'the backup is restored';
    default:
      return `a person asks to ${step.kind}`;
  }
}
