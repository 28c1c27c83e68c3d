/** Changes to a workflow by its lines, so that everything else stays as its author wrote it, comments too. */

/** Lines `from` up to but not with `to`, counted from 0, and what stands there in their place. */
export interface Edit {
  from: number;
  to: number;
  lines: readonly string[];
}

/** @param edits In any order; none overlaps another. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const lines = text.split('\n');
  for (const { from, to, lines: put } of [...edits].sort((one, other) => other.from - one.from))
    lines.splice(from, to - from, ...put);
  return lines.join('\n');
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Line after a block that begins at a line: what follows is not indented deeper. Blank lines at the end are not its own. */
export function endOfBlock(lines: readonly string[], from: number): number {
  const depth = indentOf(lines[from] ?? '');
  let end = from + 1;
  for (let at = end; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (!line.trim()) continue;
    if (indentOf(line) <= depth) break;
    end = at + 1;
  }
  return end;
}

/** Comments right above a line, at its depth: they speak of what begins there. */
export function startOfComments(lines: readonly string[], from: number): number {
  let at = from;
  while (
    at > 0 &&
    /^\s*#/.test(lines[at - 1] ?? '') &&
    indentOf(lines[at - 1] ?? '') === indentOf(lines[from] ?? '')
  )
    at--;
  return at;
}
