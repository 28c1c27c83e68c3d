/** The one rule of where a secret may go, for every secret and every address. */
import { FleetError } from '../errors.js';
import { isLoopback } from '../io/address.js';
import { oneLine } from '../text/sanitize.js';
import type { Check } from './check.js';
import type { Problem } from './setting.js';
import type { SettingName } from './settings.js';
import { TRUSTED_EVENTS, type Trigger } from './trigger.js';

/** Why a run that needs a secret does not get it. */
export interface Refusal {
  message: string;
  next: string;
}

/** @throws FleetError `GATE_REFUSED` where a secret is needed and may not leave. */
export function refuse({ refusal }: { refusal: Refusal | null }): void {
  if (!refusal) return;
  throw new FleetError('GATE_REFUSED', refusal.message, { outcome: 'refused', next: refusal.next });
}

/** An address that is sent a secret, and the setting that gave it. */
export interface Receiver {
  setting: SettingName;
  url: string;
}

/**
 * Who may name the address that a secret is sent to.
 *
 * `file`: the files of the checkout too, since a trusted event or the person at a terminal vouches for them. `outside`:
 * flags, variables, inputs and pins alone, in a CI that names no event. `nobody`: anybody may have written what runs
 * here, so no secret goes anywhere.
 */
export function trustOf({ event, ci }: Trigger): 'file' | 'outside' | 'nobody' {
  if (event === undefined) return ci ? 'outside' : 'file';
  return TRUSTED_EVENTS.includes(event) ? 'file' : 'nobody';
}

/**
 * Why no secret may be sent there; null where it may.
 *
 * @throws FleetError `USAGE` for an address that the pin of the hosts leaves out.
 */
export function refusalOf(check: Check, receivers: readonly Receiver[]): Refusal | null {
  for (const receiver of receivers) {
    const problem = pinProblem(check, receiver);
    if (problem) check.fail(receiver.setting, ...problem);
  }
  if (!receivers.length) return null;
  const trigger = check.values.trigger ?? {};
  if (trustOf(trigger) === 'nobody') return untrusted(`${trigger.event}`);
  const unnamed = receivers.find((receiver) => !isNamed(check, receiver));
  if (!unnamed) return null;
  const { host } = new URL(unnamed.url);
  return {
    message: `${check.label(unnamed.setting)} names ${host}, and CI names no event that vouches for the file: no secret is sent there`,
    next: `give --control-plane-host ${host}, or --${unnamed.setting} by flag or variable`,
  };
}

/** The same for a secret that the command can do without. */
export const maySend = (check: Check, receiver: Receiver): boolean =>
  trustOf(check.values.trigger ?? {}) !== 'nobody' &&
  isNamed(check, receiver) &&
  pinProblem(check, receiver) === null;

/** Whether somebody who may has named the address. */
function isNamed(check: Check, { setting }: Receiver): boolean {
  if (!check.inFile(setting) || trustOf(check.values.trigger ?? {}) === 'file') return true;
  // The pin holds the address already; here it counts for who has set it.
  return !!check.values.controlPlaneHost?.length && !check.inFile('control-plane-host');
}

/** What is wrong with an address where hosts are pinned. A webhook's is a secret, so its host is not shown. */
function pinProblem(check: Check, { setting, url }: Receiver): Problem | null {
  const pins: readonly string[] = check.values.controlPlaneHost ?? [];
  const named = !check.inFile(setting);
  if (!pins.length || pins.some((pin) => fits(pin, new URL(url), named))) return null;
  const { host } = new URL(url);
  const shown = setting === 'alert-webhook' ? 'another host' : host;
  return [
    `names ${shown}, and a secret may only go to ${pins.join(', ')}`,
    setting === 'alert-webhook'
      ? 'add its host to --control-plane-host, where that is meant'
      : `add --control-plane-host ${host}, where that is meant`,
  ];
}

/**
 * @param named Flag, variable or input gives the address: then scheme and port are theirs. One of a file has to keep to
 *   https and to the port of the pin, which is that of https where the pin has none.
 */
function fits(pin: string, url: URL, named: boolean): boolean {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(pin.toLowerCase()) ?? [];
  if (url.hostname.toLowerCase() !== host) return false;
  if (!named && url.protocol === 'http:' && !isLoopback(url.hostname)) return false;
  const own = url.protocol === 'http:' ? '80' : '443';
  return port === undefined ? named || url.port === '' : (url.port || own) === port;
}

function untrusted(event: string): Refusal {
  const shown = oneLine(JSON.stringify(event), 60);
  if (event === 'workflow_call')
    return {
      message: `the event ${shown} does not say what began the run, so it is not trusted with a deploy: no secret leaves`,
      next: `call the composite action in the workflow that ${TRUSTED_EVENTS.join(', ')} start, in place of a reusable workflow`,
    };
  return {
    message: `the event ${shown} is not trusted with a deploy: no secret leaves`,
    next: `run it from ${TRUSTED_EVENTS.join(', ')}; fleet verify --tenant SLUG needs no secret`,
  };
}
