/** Text from outside is made harmless here, once, before it reaches an event, a log or a report. */

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g;

/**
 * One line, at most `max` characters, with control characters, bidirectional marks and the markers of CI workflow
 * commands (`::error::`, `##[group]`) taken out of force.
 */
export function oneLine(text: string, max = 200): string {
  const line = text
    .slice(0, max * 4)
    .replace(CONTROL, ' ')
    .replace(/::/g, ': :')
    .replace(/##\[/g, '# #[')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** What may identify accounts, machines and credentials. Order matters: the longer forms come first. */
const IDENTIFIERS: [RegExp, string][] = [
  [/\barn:[^\s"',)]+/gi, '[arn]'],
  [/\b(?:Bearer|Basic|token)\s+[A-Za-z0-9._~+/=-]{6,}/gi, '[credential]'],
  [/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '[url]'],
  [/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, '[address]'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '[uuid]'],
  [/\b(?:i|mi|vol|vpc|subnet|sg|ami|eni|snap|rtb|igw|nat|eipalloc|cmd)-[0-9a-f]{6,}\b/gi, '[resource]'],
  [/\b[A-Z]{4}[A-Z0-9]{12,}\b/g, '[key]'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, '[ip]'],
  [/\b\d{12}\b/g, '[account]'],
  [/\b[A-Za-z0-9+/_-]{32,}={0,2}/g, '[long value]'],
];

/** {@link oneLine} with cloud identifiers, addresses and credentials masked, for text of a control plane. */
export function redact(text: string, max = 200): string {
  let line = oneLine(text, 2000);
  for (const [pattern, mask] of IDENTIFIERS) line = line.replace(pattern, mask);
  return oneLine(line, max);
}
