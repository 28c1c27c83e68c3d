/** Text from outside is made harmless here, once, before it reaches an event, a log or a report. */

import { cut } from './cut.js';

/** Control and format characters (zero width, bidirectional, tags), line separators and halves of a pair. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/**
 * One line, at most `max` characters, with control characters, bidirectional marks and the markers of CI workflow
 * commands (`::error::`, `##[group]`) taken out of force.
 */
export function oneLine(text: string, max = 200): string {
  const line = flat(text, max * 4)
    .replace(/:(?=:)/g, ': ')
    .replace(/##(?=\[)/g, '# #')
    .trim();
  return line.length > max ? `${cut(line, max - 1)}…` : line;
}

const flat = (text: string, max: number) => text.slice(0, max).replace(INVISIBLE, ' ');

/** What may identify accounts, machines and credentials. Order matters: the longer forms come first. */
const IDENTIFIERS: [RegExp, string][] = [
  [/\barn:[^\s"',)]+/gi, '[arn]'],
  [/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '[url]'],
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, '[credential]'],
  // A word of letters after "token" is prose ("token expired"); a value has digits in it, or is long.
  [/\b(?:Bearer|Basic|token)\s+(?=\S*\d|\S{20})[A-Za-z0-9._~+/=-]{6,}/gi, '[credential]'],
  [
    /\b[\w-]*(?:token|secret|passw(?:or)?d|api[_-]?key|authorization|credentials?)["']?=["']?[^\s"',;&]+/gi,
    '[credential]',
  ],
  [
    /\b[\w-]*(?:token|secret|passw(?:or)?d|api[_-]?key|authorization|credentials?)["']?:\s*["']?(?=\S*\d|\S{20})[^\s"',;&]+/gi,
    '[credential]',
  ],
  [/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, '[address]'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '[uuid]'],
  [/\b(?:i|mi|vol|vpc|subnet|sg|ami|eni|snap|rtb|igw|nat|eipalloc|cmd)-[0-9a-f]{6,}\b/gi, '[resource]'],
  [/\b[A-Z]{4}[A-Z0-9]{12,}\b/g, '[key]'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, '[ip]'],
  [/\bip-\d{1,3}(?:-\d{1,3}){3}\b/gi, '[ip]'],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])/gi, '[ip]'],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])/gi, '[ip]'],
  [/(?<![\w:])(?:(?:[0-9a-f]{1,4}:){1,7}:|::(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{1,4})(?![\w:])/gi, '[ip]'],
  [/\b(?:\d{12}|\d{4}-\d{4}-\d{4})\b/g, '[account]'],
  [/\b[A-Za-z0-9+/_-]{32,}={0,2}/g, '[long value]'],
];

/** More text than this is never looked at: the patterns' cost is bounded by it. */
const MASKED_MAX = 2000;

/** {@link oneLine} with cloud identifiers, addresses and credentials masked, for text of a control plane. */
export function redact(text: string, max = 200): string {
  // A cut leaves a piece of a word at the end, which no pattern may know any more.
  let line = flat(text, MASKED_MAX).replace(text.length > MASKED_MAX ? /\S*$/ : '', '');
  for (const [pattern, mask] of IDENTIFIERS) line = line.replace(pattern, mask);
  return oneLine(line, max);
}
