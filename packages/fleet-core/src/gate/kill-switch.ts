/** The gates "kill switch" and "hold": an operator stopped deploys, live or at the start of this run. */

import { whyNot } from '../clients/gitea/request.js';
import { parseSwitch } from '../config/switch.js';
import { type Gate, type Gates, gitea, held, refused } from './gate.js';

export function switchGate(io: Gates): Gate[] {
  const { killSwitch, hold } = io.config;
  if (killSwitch) return [['kill switch', () => checkKillSwitch(io, killSwitch)]];
  return hold === null ? [] : [['hold', async () => checkHold(hold)]];
}

function checkHold(armed: boolean): string {
  if (!armed) return 'off';
  throw held('deploys are on hold (--hold)');
}

async function checkKillSwitch(io: Gates, name: string): Promise<string> {
  const { config, emit } = io;
  // Armed by value at the start is armed, whatever the variable says.
  if (config.hold === true) checkHold(true);
  const read = await gitea(io).variable(name);
  switch (read.kind) {
    case 'absent':
      return `${name} is not set, neither in the repository nor in its organisation: off`;
    case 'forbidden':
      if (config.hold === null) {
        throw refused(
          `the kill switch ${name} cannot be read: ${whyNot(read)}, and --hold gave no value`,
          'pass --hold with the value of the variable, or a token of the owner that may read variables of repository and organisation',
        );
      }
      emit({
        code: 'warning',
        reason: `the kill switch ${name} cannot be read with this token; the value that --hold gave at the start counts: off`,
      });
      return 'off, by --hold; not readable live';
    case 'unreadable':
      throw refused(
        `the kill switch ${name} cannot be read: ${read.why}`,
        'an unread kill switch counts as armed; try again once Gitea answers',
      );
    case 'read':
      switch (parseSwitch(read.value)) {
        case 'off':
          return `${name}: off`;
        case 'armed':
          throw held(`the kill switch ${name} is armed`);
        case 'unknown':
          throw refused(
            `the kill switch ${name} has a value that is neither on nor off`,
            'set it to one of 1 true yes on disabled disable, or 0 false no off',
          );
      }
  }
}
