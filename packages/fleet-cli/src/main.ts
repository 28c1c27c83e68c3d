/** From arguments to an exit code; every error ends here, as one or two lines. */
import { exitCodeOf, isFleetError, outcomeOf, redact, USAGE_EXIT_CODE } from '@tenant-fleet/fleet-core';
import { CommanderError } from 'commander';
import { withoutSecrets } from './config.js';
import { buildProgram, parseProblem } from './program.js';
import { Terminal } from './terminal/console.js';

export async function main(args: string[], version: string): Promise<number> {
  // What follows is another command's.
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const terminal = new Terminal({ color: !own.includes('--no-color') });
  const fail = (error: unknown) => explain(error, terminal, own.includes('--verbose'));
  process.on('uncaughtException', (error) => {
    // A command that holds something ends in order, and brings the error here by itself.
    if (process.listenerCount('uncaughtException') === 1) process.exit(fail(error));
  });
  let exitCode = 0;
  const program = buildProgram(version, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return fail(error);
  }
}

/** Says what went wrong; the exit code for it. */
function explain(error: unknown, terminal: Terminal, verbose: boolean): number {
  if (error instanceof CommanderError) {
    // Help and version end the parser by an error too; without a command the help went to stderr.
    if (error.exitCode === 0) return 0;
    if (error.code !== 'commander.help') {
      const problem = parseProblem(error);
      terminal.error(problem.message, problem.next);
    }
    return USAGE_EXIT_CODE;
  }
  if (isFleetError(error) && error.code !== 'INTERNAL') {
    terminal.error(error.message, error.hint);
    if (error.code === 'USAGE') return USAGE_EXIT_CODE;
    return exitCodeOf(outcomeOf(error), { askedBy: 'human' });
  }
  const text = error instanceof Error ? error.message : String(error);
  terminal.error(
    `${redact(withoutSecrets(text)) || 'unexpected failure'} (INTERNAL)`,
    'run again with --verbose, and report what it prints',
  );
  if (verbose && error instanceof Error) terminal.line('stderr', withoutSecrets(error.stack ?? ''));
  return 1;
}
