/** Stage 2: may this run roll the fleet at all? The gates in their order; one that cannot be read is not passed. */

import { refuse } from '../config/trust.js';
import { oneLine } from '../text/sanitize.js';
import { headGate } from './branch-head.js';
import { type Gate, type Gates, pass, refused } from './gate.js';
import { imageGate } from './image.js';
import { switchGate } from './kill-switch.js';
import { ciGate } from './required-checks.js';

/**
 * Passes every configured gate, or rejects with the reason. Awaits required checks that are pending or missing, and an
 * image that is not there yet.
 *
 * In a dry run every gate is shown and none is obeyed, but for that of the event.
 *
 * @throws FleetError with outcome `refused`, `held` or `superseded`.
 */
export async function passGates(io: Gates): Promise<void> {
  await passEntrance(io);
  await passAll(io, [...switchGate(io), ...headGate(io), ...ciGate(io), ...imageGate(io)]);
}

/** Whether this run may ask for a roll at all, by what started it. @throws FleetError as {@link passGates}. */
export async function passEntrance(io: Gates): Promise<void> {
  passEvent(io);
  const { onlyBranch, branch, trigger, handOver, hold } = io.config;
  const gates: Gate[] = [];
  if (trigger.event !== undefined && onlyBranch)
    gates.push(['branch', async () => checkBranch(branch, onlyBranch)]);
  // Whoever hands over passes no other gate here.
  if (handOver && hold !== null) gates.push(...switchGate(io));
  await passAll(io, gates);
}

async function passAll(io: Gates, gates: Gate[]): Promise<void> {
  for (const [gate, check] of gates) {
    const detail = await pass(io, gate, check);
    if (detail !== null) io.emit({ code: 'gate.passed', gate, detail });
  }
}

/** What may have changed while the run waited for the lock; the image too, since a tag may have moved on. */
export async function passGatesAgain(io: Gates): Promise<void> {
  await recheckGates(io);
  for (const [gate, check] of imageGate(io)) await pass(io, gate, check);
}

/** The gates that may close while a roll is under way: asked again under the lock and before every wave. */
export async function recheckGates(io: Gates): Promise<void> {
  for (const [gate, check] of [...switchGate(io), ...headGate(io)]) await pass(io, gate, check);
}

/** The branch head alone, where it decides: asked again at the verdict. */
export async function recheckHead(io: Gates): Promise<void> {
  for (const [gate, check] of headGate(io)) await pass(io, gate, check);
}

/** Whether secrets may be used here. A dry run obeys this gate too: it sends the token that lists the fleet. */
function passEvent({ config, emit }: Gates): void {
  const { refusal, trigger } = config;
  if (refusal) {
    const reason = refusal.message;
    emit({ code: 'gate.stopped', gate: 'event', outcome: 'refused', reason, obeyed: true });
    refuse(config);
  }
  if (trigger.event !== undefined) emit({ code: 'gate.passed', gate: 'event', detail: trigger.event });
}

function checkBranch(branch: string | null, only: string): string {
  if (branch === only) return oneLine(only, 80);
  const found = branch ? oneLine(branch, 80) : 'a branch that CI does not name';
  throw refused(
    `only ${oneLine(only, 80)} may roll this environment, and this run is of ${found}`,
    'deploy from that branch, or change only-branch',
  );
}
