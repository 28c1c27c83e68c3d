import type { OutputFlags } from '../../flags.js';
import type { Terminal } from '../console.js';
import { canDraw } from './can-draw.js';
import { isInForeground } from './keys.js';

/** A screen that is drawn anew, where a person watches; null where lines go to something else. */
export async function blockFor({ json }: OutputFlags, terminal: Terminal) {
  if (json || !canDraw('stdout') || !isInForeground()) return null;
  // Loaded only here: nobody else waits for what draws.
  const { Block } = await import('./block.js');
  return new Block(terminal, 'stdout');
}
