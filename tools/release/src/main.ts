import { parseArgs } from 'node:util';
import { checksums } from './checksums.js';
import { ReleaseError } from './errors.js';
import { git } from './git.js';
import { redact } from './output.js';
import { publish } from './publish.js';
import { tag } from './tag.js';
import { version } from './version.js';

const USAGE = `usage: npx -y pnpm@10 release COMMAND

  version                                       turn pending changesets into versions, one commit
  tag [--push REMOTE] [--built] [--dry-run]     tag this version, with the built action in the tag
  publish [--built] [--dry-run]                 put the packages into the registry NPM_REGISTRY
  checksums [--built]                           pack this commit, and say what its packages are known by

--built takes dist as it is, where the packages were built just before from this commit.
Run again after any failure: what is done is left alone.
`;

function main(args: string[]): number {
  try {
    const { values, positionals } = parse(args);
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const [command, ...rest] = positionals;
    if (rest.length > 0) throw usage(`unexpected argument ${rest[0]}`);
    const root = git(process.cwd(), ['rev-parse', '--show-toplevel']);
    const { built, 'dry-run': dryRun, push } = values;
    if (push !== undefined && command !== 'tag') throw usage('--push belongs to tag');
    if ((built || dryRun) && command === 'version') throw usage('version takes no options');
    if (dryRun && command === 'checksums') throw usage('checksums changes nothing');
    if (command === 'version') version(root);
    else if (command === 'tag') tag(root, { push, built, dryRun });
    else if (command === 'publish') publish(root, { built, dryRun });
    else if (command === 'checksums') checksums(root, { built });
    else throw usage(command ? `unknown command ${command}` : 'a command is missing');
    return 0;
  } catch (error) {
    return explain(error);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        push: { type: 'string' },
        built: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function usage(message: string): ReleaseError {
  return new ReleaseError('USAGE', message, 'see --help');
}

/** Exit code 2 for what was asked wrongly, 1 for what went wrong. */
function explain(error: unknown): number {
  if (error instanceof ReleaseError) {
    process.stderr.write(redact(`error: ${error.message} (${error.code})\nnext: ${error.next}\n`));
    return error.code === 'USAGE' ? 2 : 1;
  }
  process.stderr.write(redact(`error: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`));
  return 1;
}

process.exitCode = main(process.argv.slice(2));
