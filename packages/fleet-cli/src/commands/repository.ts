/** The commands that read and write workflows; each is loaded only where it runs. */
import type { Command } from 'commander';
import type { Finish } from '../flags.js';
import { addJson, GROUP_TITLES } from '../options.js';
import type { InitFlags } from './init.js';
import type { LintFlags } from './lint.js';

export function addRepositoryCommands(program: Command, finish: Finish, version: string): void {
  const lint = program
    .command('lint')
    .description('Find what makes the deploys of a repository silently not happen, or happen wrongly')
    .argument('[DIR]', 'root of the repository', '.')
    .allowExcessArguments(false)
    .optionsGroup(GROUP_TITLES.output)
    .option('--strict', 'warnings fail too')
    .option('--format <NAME>', 'text, json (as --json) or sarif (default: text)')
    .option(
      '--server <NAME>',
      'gitea-1.22, gitea-1.25, gitea-1.27, forgejo or github (default: all of them)',
    );
  addJson(lint).action(async (folder: string, flags: LintFlags) => {
    const { runLint } = await import('./lint.js');
    finish(await runLint(folder, flags));
  });
  const init = program
    .command('init')
    .description('Write the files that make the merges of a repository reach its fleet; shows them first')
    .argument('[DIR]', 'root of the repository', '.')
    .allowExcessArguments(false)
    .option('--environment <NAME>', 'which fleet (default: what deploys by hand say, else staging)')
    .option('--control-plane <URL>', 'its control plane')
    .option('--tenant-url <TEMPLATE>', 'address of a tenant, with {slug} in host or path')
    .option('--action <REF>', 'what `uses:` names, with its pin (default: by the remote origin)')
    .optionsGroup(GROUP_TITLES.output)
    .option('--dry-run', 'show the files, write nothing')
    .option('--yes', 'do not ask at a terminal');
  addJson(init).action(async (folder: string, flags: InitFlags) => {
    const { runInit } = await import('./init.js');
    finish(await runInit(folder, flags, version));
  });
}
