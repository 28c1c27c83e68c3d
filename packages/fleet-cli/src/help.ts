/** What a help text says beside its flags: examples before them, the exit codes after. */
import type { Setting } from '@tenant-fleet/fleet-core/config';
import type { Command } from 'commander';

const EXAMPLES: Record<string, string[]> = {
  fleet: [
    'fleet plan --target-tag main-4f2c1a9',
    'fleet redeploy --target-tag main-4f2c1a9 --expected-sha "$(git rev-parse HEAD)"',
    'fleet verify --target-tag main-4f2c1a9 --expected-sha "$(git rev-parse HEAD)"',
  ],
  redeploy: [
    'fleet redeploy --environment staging --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA"',
    'fleet redeploy --target-tag main-4f2c1a9 --canary acme --soak 2m --batch-size 5 --max-stragglers 1',
    'fleet redeploy --target-tag main-4f2c1a9 --dry-run --json | jq .counts',
  ],
  plan: ['fleet plan --environment staging --target-tag main-4f2c1a9'],
  verify: [
    'fleet verify --environment staging --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA"',
    'fleet verify --tenant acme --tenant beta --expected-sha "$GITHUB_SHA"',
  ],
  status: [
    'fleet status --environment staging',
    'fleet status --environment staging --watch',
    'fleet status --environment staging --json | jq .tenants.commits',
  ],
  history: ['fleet history --environment staging -n 5', 'fleet history show 6f1c1f0e --environment staging'],
  config: ['fleet config --environment staging', 'fleet config schema >fleet.config.schema.json'],
  'config schema': ['fleet config schema >fleet.config.schema.json'],
  'lock status': [
    'fleet lock status --environment staging',
    'fleet lock status --lock-group staging --watch --json',
  ],
  'lock run': [
    'fleet lock run --environment staging -- ./migrate.sh',
    'fleet lock run --lock-group staging --lock-wait 5m -- sh -c "./migrate.sh && fleet redeploy --lock-group staging --target-tag main-4f2c1a9"',
  ],
  'lock break': [
    'fleet lock break --environment staging --reason "its runner is gone"',
    'fleet lock break --lock-group staging --fencing-token 7 --reason "its runner is gone" --yes',
  ],
  'lock freeze': ['fleet lock freeze --environment staging --reason "incident 12" --for 2h'],
  'lock unfreeze': ['fleet lock unfreeze --environment staging --reason "incident 12 is over"'],
  'lock log': [
    'fleet lock log --environment staging',
    'fleet lock log --lock-group staging --after 120 --json',
  ],
  lint: [
    'fleet lint',
    'fleet lint ../server --strict --server gitea-1.25',
    'fleet lint --format sarif >lint.sarif',
  ],
  report: ['fleet report result.json', 'fleet report result.json --html result.html'],
};

const EXIT_CODES = `
Exit codes:
  0    proven on every tenant (or planned, superseded, held in CI: read the outcome)
  1    failed: not every tenant is proven
  2    usage: a bad flag, variable or file; nothing was requested
  3    the lock was not had in time, or lost
  4    refused by a gate, held, or declined at the prompt
  5    the control plane could not be used
  130  interrupted (SIGINT); 143: SIGTERM, 129: SIGHUP`;

const RUN_EXIT_CODES = `
Exit codes:
  N    of the command once it ran; 128+n where a signal ended it
  2    usage: a bad flag, variable or file; nothing was requested
  3    the lock was not had in time, or lost: then the command was ended
  4    the lock is frozen
  5    the lock server could not be used
  126  the command may not be run; 127: it was not found
  130  interrupted (SIGINT) while waiting; 143: SIGTERM, 129: SIGHUP`;

const LINT_EXIT_CODES = `
Exit codes:
  0    no error; with --strict no warning either
  1    something was found
  2    usage: a bad flag, no such folder, or nothing to read in it`;

const STATUS_EXIT_CODES = `
Exit codes:
  0    it could look, whatever it saw
  2    usage: a bad flag, variable or file; nothing was requested
  4    refused: the event that started this is not trusted with a secret
  5    the control plane could not be used
  130  ended by Ctrl-C (SIGINT); 143: SIGTERM, 129: SIGHUP`;

const HISTORY_EXIT_CODES = `
Exit codes:
  0    shown, also where there is none yet
  1    no such rollout is on record
  2    usage: a bad flag, variable or file; nothing was requested
  4    refused: the event that started this is not trusted with a secret
  5    the control plane could not be used, or keeps no rollouts`;

const CONFIG_EXIT_CODES = `
Exit codes:
  0    shown; nothing was requested
  2    usage: a bad flag, variable or file`;

const OWN_EXIT_CODES: Record<string, string> = {
  status: STATUS_EXIT_CODES,
  history: HISTORY_EXIT_CODES,
  config: CONFIG_EXIT_CODES,
  'lock run': RUN_EXIT_CODES,
  lint: LINT_EXIT_CODES,
};

/** Adds examples and exit codes to a command and to all below it. */
export function addHelp(command: Command): void {
  const names = [command.parent?.parent ? command.parent.name() : '', command.name()];
  const [path, whole] = [names.filter(Boolean).join(' '), names.find(Boolean) ?? ''];
  const examples = EXAMPLES[path];
  if (examples)
    command.addHelpText('before', `Examples:\n${examples.map((line) => `  ${line}`).join('\n')}\n`);
  // A command with commands below it may be one itself.
  if (!command.commands.length || OWN_EXIT_CODES[path]) {
    command.addHelpText('after', OWN_EXIT_CODES[path] ?? OWN_EXIT_CODES[whole] ?? EXIT_CODES);
    if (command.options.some((option) => option.long === '--config')) {
      command.addHelpText(
        'after',
        '\nA flag wins over a variable, that over fleet.config.yaml, that over the default.',
      );
    }
  }
  for (const one of command.commands) addHelp(one);
}

/** What a setting is for, whether it may be repeated, its choices, variables and default. */
export function describeSetting(setting: Setting): string {
  const notes = [
    ...(setting.kind === 'list' ? ['repeatable'] : []),
    ...(setting.choices ? [setting.choices.join(' | ')] : []),
    `env ${setting.env.join(', ')}`,
    ...(setting.default === undefined ? [] : [`default ${setting.default}`]),
  ];
  return `${setting.help} [${notes.join('; ')}]`;
}
