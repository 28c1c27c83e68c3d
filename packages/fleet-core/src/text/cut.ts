/** A character of a person may be many of a string; no mark on a letter takes more than this. */
const LONGEST = 64;
let segmenter: Intl.Segmenter | undefined;

/** The beginning of a text, at most `max` UTF-16 units, never ending inside a character as people see them. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const from = Math.max(0, max - LONGEST);
  const inside = segmenter.segment(text.slice(from, max + LONGEST)).containing(max - from);
  const end = from + (inside?.index ?? 0);
  // Marks piled up without end are no character: half of a pair is all that is left out then.
  return end > from || max <= LONGEST
    ? text.slice(0, end)
    : text.slice(0, max).replace(/[\ud800-\udbff]$/, '');
}
