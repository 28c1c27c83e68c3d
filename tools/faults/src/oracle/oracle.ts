/** Judges a round by the records, never by what the tool said about itself alone. */
import type { History, Violation } from '../history.js';
import { order } from './order.js';
import { overlap } from './overlap.js';
import { remains } from './remains.js';
import { report } from './report.js';
import { twice } from './twice.js';
import { verdict } from './verdict.js';

export const judge = (history: History): Violation[] =>
  [overlap, verdict, order, twice, report, remains].flatMap((rule) => rule(history));
