/** Shows what the linter finds in a repository. */
import { join } from 'node:path';
import { oneLine, plural, usageError } from '@tenant-fleet/fleet-core/program';
import {
  type Finding,
  type LintResult,
  lintResult,
  parseServer,
  readRepository,
  sarifOf,
} from '@tenant-fleet/fleet-lint';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';

export interface LintFlags extends OutputFlags {
  strict?: boolean;
  server?: string;
  format?: string;
}

/** Exit code 1 where something was found. @throws FleetError `USAGE` where there is nothing to read, or no such server. */
export async function runLint(folder: string, output: LintFlags): Promise<number> {
  const server = output.server === undefined ? undefined : parseServer(output.server);
  const format = formatOf(output);
  const terminal = new Terminal(output);
  const result = lintResult(await readRepository(folder), { strict: output.strict, server });
  if (format === 'json') terminal.document(result);
  else if (format === 'sarif') terminal.document(sarifOf(result));
  else show(result, folder, terminal);
  return result.passed ? 0 : 1;
}

/** `--json` is short for `--format json`. */
function formatOf({ format = 'text', json }: LintFlags): string {
  if (!['text', 'json', 'sarif'].includes(format))
    throw usageError(`lint: there is no format ${format}`, {
      option: '--format',
      next: '--format takes text, json, sarif',
    });
  return json && format === 'text' ? 'json' : format;
}

function show({ findings, counts, files }: LintResult, folder: string, terminal: Terminal): void {
  for (const finding of findings) {
    const tone = finding.severity === 'error' ? 'bad' : 'warn';
    terminal.line('stdout', lineOf(finding, folder), tone);
    terminal.line('stdout', `  why: ${finding.why}`, 'quiet');
    terminal.line('stdout', `  next: ${finding.next}`);
  }
  const read = plural(files.length, 'file');
  const found = `${plural(counts.errors, 'error')}, ${plural(counts.warnings, 'warning')}`;
  terminal.line('stdout', findings.length ? `${found} in ${read}` : `nothing found in ${read}`);
}

const lineOf = ({ file, line, column, severity, rule, message }: Finding, folder: string) =>
  `${oneLine(join(folder, file), 500)}:${line}:${column}  ${severity}  ${rule}  ${message}`;
