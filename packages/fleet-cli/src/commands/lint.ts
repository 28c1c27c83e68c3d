/** Reads the workflows of a repository and shows what core finds in them. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { oneLine, plural, usageError } from '@tenant-fleet/fleet-core';
import { type Finding, type LintFile, type LintResult, lintResult } from '@tenant-fleet/fleet-lint';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';

const WORKFLOWS = ['.gitea/workflows', '.github/workflows'];
const ACTIONS = '.gitea/actions';
const CONFIG = 'fleet.config.yaml';

/** Exit code 1 where something was found. @throws FleetError `USAGE` where there is nothing to read. */
export async function runLint(folder: string, output: OutputFlags & { strict?: boolean }): Promise<number> {
  const terminal = new Terminal(output);
  const result = lintResult(await filesOf(folder), { strict: output.strict });
  if (output.json) terminal.line('stdout', JSON.stringify(result, null, 2));
  else show(result, folder, terminal);
  return result.passed ? 0 : 1;
}

function show({ findings, counts, files }: LintResult, folder: string, terminal: Terminal): void {
  for (const finding of findings) {
    const tone = finding.severity === 'error' ? 'bad' : 'warn';
    terminal.line('stdout', lineOf(finding, folder), tone);
    terminal.line('stdout', `  why: ${finding.why}`, 'quiet');
    terminal.line('stdout', `  next: ${finding.remedy}`);
  }
  const read = plural(files.length, 'file');
  const found = `${plural(counts.errors, 'error')}, ${plural(counts.warnings, 'warning')}`;
  terminal.line('stdout', findings.length ? `${found} in ${read}` : `nothing found in ${read}`);
}

const lineOf = ({ file, line, column, severity, rule, message }: Finding, folder: string) =>
  `${oneLine(join(folder, file), 500)}:${line}:${column}  ${severity}  ${rule}  ${message}`;

async function filesOf(folder: string): Promise<LintFile[]> {
  const bad = (problem: string, hint: string) => usageError(`lint: ${problem}`, { hint });
  const there = await stat(folder).catch(() => null);
  if (!there?.isDirectory()) {
    throw bad(`${folder} is ${there ? 'not a folder' : 'not there'}`, 'name the root of a repository');
  }
  const workflows = (await Promise.all(WORKFLOWS.map((path) => yamlBelow(folder, path)))).flat();
  if (!workflows.length) {
    const places = WORKFLOWS.map((path) => join(folder, path)).join(' and ');
    throw bad(
      `there is nothing to read: no .yml or .yaml file in ${places}`,
      'name the root of a repository',
    );
  }
  const actions = (await yamlBelow(folder, ACTIONS)).filter((path) =>
    /^[^/]+\/[^/]+\/[^/]+\/action\./.test(path),
  );
  const config = (await stat(join(folder, CONFIG)).catch(() => null)) ? [CONFIG] : [];
  const read = async (path: string) => {
    const text = await readFile(join(folder, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw bad(
        `${join(folder, path)} cannot be read (${error.code})`,
        'every file counts: make it readable',
      );
    });
    return { path, text };
  };
  return Promise.all([...workflows, ...actions, ...config].map(read));
}

/** Paths of the YAML files below a folder of the repository, sorted; the server looks into sub-folders too. */
async function yamlBelow(folder: string, below: string): Promise<string[]> {
  const names = await readdir(join(folder, below), { recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
      throw usageError(`lint: ${join(folder, below)} cannot be read (${error.code})`);
    },
  );
  const paths = names.map((name) => `${below}/${name.split(sep).join('/')}`);
  return paths.filter((path) => /\.ya?ml$/.test(path)).sort();
}
