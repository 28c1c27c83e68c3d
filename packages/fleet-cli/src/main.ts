/** From arguments to an exit code; every error ends here, as one or two lines. */
import { exitCodeOf, isFleetError, USAGE_EXIT_CODE } from '@tenant-fleet/fleet-core';
import { outcomeOf, redact } from '@tenant-fleet/fleet-core/program';
import { CommanderError } from 'commander';
import { withoutSecrets } from './config.js';
import { buildProgram, commandNamed, parseProblem } from './program.js';
import { Terminal } from './terminal/console.js';
import { loadWrap } from './terminal/wrap.js';

export async function main(args: string[], version: string): Promise<number> {
  // What follows is another command's.
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  await loadWrap([process.stdout, process.stderr]);
  const terminal = new Terminal({ color: !own.includes('--no-color') });
  let exitCode = 0;
  const finish = (code: number) => {
    exitCode = code;
  };
  const program = buildProgram(version, finish, args);
  const fail = (error: unknown) => {
    const ending = explain(error, terminal, commandNamed(program, own), own.includes('--verbose'));
    return document(ending.exitCode, ending);
  };
  /** Whoever asked for a document gets one, however it ended. */
  const document = (exitCode: number, why?: Partial<Explained>) => {
    if (!own.includes('--json') || Terminal.documented || exitCode === 0) return exitCode;
    const {
      code = 'NOT_DONE',
      message = 'nothing was done: declined or interrupted',
      next = null,
    } = why ?? {};
    terminal.document({ schema: 'fleet-error/1', code, message, next, exit_code: exitCode });
    return exitCode;
  };
  process.on('uncaughtException', (error) => {
    // A command that holds something ends in order, and brings the error here by itself.
    if (process.listenerCount('uncaughtException') === 1) process.exit(fail(error));
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return document(exitCode);
  } catch (error) {
    return fail(error);
  }
}

interface Explained {
  exitCode: number;
  code?: string;
  message?: string;
  next?: string | undefined;
}

/** Says what went wrong. */
function explain(error: unknown, terminal: Terminal, asked: string, verbose: boolean): Explained {
  if (error instanceof CommanderError) {
    // Help and version end the parser by an error too; without a command the help went to stderr.
    if (error.exitCode === 0) return { exitCode: 0 };
    const problem = parseProblem(error, asked);
    if (error.code !== 'commander.help') terminal.error(problem.message, problem.next);
    return { exitCode: USAGE_EXIT_CODE, code: 'USAGE', ...problem };
  }
  if (isFleetError(error) && error.code !== 'INTERNAL') {
    terminal.error(error.message, error.next);
    const exitCode =
      error.code === 'USAGE' ? USAGE_EXIT_CODE : exitCodeOf(outcomeOf(error), { askedBy: 'human' });
    return { exitCode, code: error.code, message: error.message, next: error.next };
  }
  const text = error instanceof Error ? error.message : String(error);
  const message = redact(withoutSecrets(text)) || 'unexpected failure';
  const next = 'run again with --verbose, and report what it prints';
  terminal.error(`${message} (INTERNAL)`, next);
  if (verbose && error instanceof Error) terminal.line('stderr', withoutSecrets(error.stack ?? ''));
  return { exitCode: 1, code: 'INTERNAL', message, next };
}
