/** `fleet init`: the files that make the merges of a repository reach its fleet, shown before they are written. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isFleetError } from '@tenant-fleet/fleet-core';
import { oneLine, plural, usageError } from '@tenant-fleet/fleet-core/program';
import { type LintFile, readRepository } from '@tenant-fleet/fleet-lint';
import { createTwoFilesPatch } from 'diff';
import type { OutputFlags } from '../flags.js';
import type { Answers } from '../init/files.js';
import { answersIn, checkAnswers, type Proposal, propose } from '../init/proposal.js';
import { Terminal } from '../terminal/console.js';
import { ask, confirm, isPersonThere } from '../terminal/prompt.js';
import { writeWhole } from '../terminal/report-files.js';
import { interruptible } from '../terminal/signals.js';

export interface InitFlags extends OutputFlags {
  environment?: string;
  controlPlane?: string;
  tenantUrl?: string;
  action?: string;
  dryRun?: boolean;
}

const FOLDERS = ['.gitea/workflows', '.forgejo/workflows', '.github/workflows'];
const COMPOSITE = 'tenant-fleet/fleet/.gitea/actions/redeploy-fleet';

/** @throws FleetError `USAGE` before anything is written. */
export async function runInit(folder: string, flags: InitFlags, version: string): Promise<number> {
  const terminal = new Terminal(flags);
  const files = await readRepository(folder, { empty: true });
  return interruptible(
    terminal,
    async (signal) => {
      const answers = await answersFor(folder, files, flags, version, terminal, signal);
      if (typeof answers === 'number') return answers;
      const workflows = FOLDERS.find((one) => files.some(({ path }) => path.startsWith(`${one}/`)));
      const proposal = propose(files, answers, workflows ?? '.gitea/workflows', Boolean(flags.environment));
      show(proposal, folder, terminal, flags);
      const { changes } = proposal;
      let written = false;
      if (changes.length && !flags.dryRun) {
        if (!flags.yes) {
          const question = `Write ${plural(changes.length, 'file')}?`;
          const declined = await confirm(question, 'nothing was written', terminal, signal);
          if (declined) return declined;
        }
        for (const { path, after } of changes) {
          await mkdir(dirname(join(folder, path)), { recursive: true });
          await writeWhole(join(folder, path), after);
        }
        written = true;
      }
      end(proposal, answers, written, terminal, flags);
      return proposal.findings.some(({ severity }) => severity === 'error') ? 1 : 0;
    },
    { says: null },
  );
}

/** From flags, the repository and whoever sits here; what is missing is named all at once. An exit code where a signal came. */
async function answersFor(
  folder: string,
  files: readonly LintFile[],
  flags: InitFlags,
  version: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Answers | number> {
  const found = answersIn(files);
  const server = await serverOf(folder);
  const action = server && (server === 'github.com' ? COMPOSITE : `https://${server}/${COMPOSITE}`);
  const known = {
    controlPlane: flags.controlPlane ?? found.controlPlane,
    tenantUrl: flags.tenantUrl ?? found.tenantUrl,
    environment: flags.environment ?? found.environment ?? 'staging',
    action: flags.action ?? (action && `${action}@v${version}`),
  };
  const questions = {
    environment: ['--environment', 'Name of the environment'],
    controlPlane: ['--control-plane', 'Address of the control plane (https://...)'],
    tenantUrl: ['--tenant-url', 'Address of a tenant, with {slug} for its name'],
    action: [
      '--action',
      'The action with its pin (https://HOST/OWNER/fleet/.gitea/actions/redeploy-fleet@vX.Y.Z)',
    ],
  } as const;
  const names = Object.keys(questions) as (keyof Answers)[];
  const asks = isPersonThere() && !flags.yes && !flags.json;
  const missing = names.filter((name) => !known[name]);
  if (missing.length && !asks) {
    const options = missing.map((name) => questions[name][0]);
    throw usageError(`init: ${options.join(', ')} ${options.length === 1 ? 'is' : 'are'} missing`, {
      option: options[0],
      next: `fleet init ${options.map((option) => `${option} ...`).join(' ')}`,
    });
  }
  if (!asks && !flags.yes && !flags.dryRun)
    throw usageError('--yes is missing: nobody is here to be asked', {
      option: '--yes',
      next: 'look with fleet init --dry-run, then say --yes',
    });
  const answers = { ...known } as Answers;
  for (const name of asks ? names : []) {
    if (flags[name] !== undefined) continue;
    const proposed = known[name] ? ` [${known[name]}] ` : ': ';
    const answer = await ask(`${questions[name][1]}${proposed}`, terminal, signal, 'nothing was written');
    if (typeof answer === 'number') return answer;
    answers[name] = answer || (known[name] ?? '');
  }
  check(answers, questions);
  return answers;
}

function check(
  answers: Answers,
  questions: Readonly<Record<keyof Answers, readonly [string, string]>>,
): void {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(answers.environment))
    throw usageError(`--environment: ${JSON.stringify(answers.environment.slice(0, 70))} is no name`, {
      option: questions.environment[0],
      next: 'small letters, digits, dots, dashes: staging',
    });
  if (!/^\S+@\S+$/.test(answers.action))
    throw usageError(`--action: ${JSON.stringify(answers.action.slice(0, 100))} has no pin`, {
      option: '--action',
      next: 'name a release: .../.gitea/actions/redeploy-fleet@vX.Y.Z',
    });
  try {
    checkAnswers(answers);
  } catch (error) {
    if (!isFleetError(error)) throw error;
    throw usageError(error.message, { option: error.option, next: error.next });
  }
}

/** Host that the repository is pushed to; undefined where there is none. */
async function serverOf(folder: string): Promise<string | undefined> {
  const asked = ['-C', folder, 'config', '--get', 'remote.origin.url'];
  const url = await promisify(execFile)('git', asked).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return /^(?:\w+:\/\/)?(?:[^@/]+@)?([\w.-]+\.[a-z]{2,}(?::\d+)?)[:/]/i.exec(url)?.[1]?.replace(/:\d+$/, '');
}

/** The diff is data: `fleet init --dry-run | git apply` takes it. */
function show(
  { changes, left, findings }: Proposal,
  folder: string,
  terminal: Terminal,
  { json }: InitFlags,
): void {
  for (const { path, before, after } of changes) {
    const patch = createTwoFilesPatch(before ? `a/${path}` : '/dev/null', `b/${path}`, before, after);
    for (const line of patch.trimEnd().split('\n').slice(1)) {
      const tone = line.startsWith('+') ? 'good' : line.startsWith('-') ? 'bad' : 'plain';
      terminal.line(json ? 'stderr' : 'stdout', line, tone);
    }
  }
  if (left.length) terminal.line('stderr', '\nNot taken over, look at each:', 'warn');
  for (const { place, message } of left)
    terminal.line(
      'stderr',
      `  ${oneLine(join(folder, place.file), 200)}:${place.line}  ${oneLine(message, 300)}`,
    );
  if (findings.length) terminal.line('stderr', '\nfleet lint would say:', 'warn');
  for (const { file, line, rule, message, next } of findings) {
    terminal.line('stderr', `  ${oneLine(file, 200)}:${line}  ${rule}: ${message}`);
    terminal.line('stderr', `    next: ${next}`);
  }
}

function end(
  { changes, left, findings, secrets }: Proposal,
  { environment }: Answers,
  written: boolean,
  terminal: Terminal,
  flags: InitFlags,
): void {
  const next = [
    ...(secrets.length ? [`set in the settings of the repository: ${secrets.join(', ')}`] : []),
    `fleet doctor --environment ${environment}`,
    ...(written ? [`git add ${changes.map(({ path }) => path).join(' ')}`] : []),
  ];
  const names = changes.map(({ path }) => path).join(', ');
  const says = !changes.length
    ? 'Nothing to do: this repository deploys by fleet.'
    : written
      ? `Wrote ${names}.`
      : `Would write ${names}.`;
  terminal.line('stderr', `${changes.length ? '\n' : ''}${says}`);
  if (changes.length) for (const one of next) terminal.line('stderr', `Next: ${one}`);
  if (flags.json)
    terminal.document({
      schema: 'fleet-init/1',
      written,
      files: changes.map(({ path, before, after }) => ({
        path,
        state: before ? 'changed' : 'new',
        text: after,
      })),
      left,
      findings,
      next,
    });
}
