/** What a help text says beside its flags: examples before them, the exit codes after. */
import type { Setting } from '@tenant-fleet/fleet-core/config';
import type { Command } from 'commander';

export const EXAMPLES: Record<string, string[]> = {
  fleet: [
    'fleet plan --target-tag main-4f2c1a9',
    'fleet redeploy --target-tag main-4f2c1a9 --expected-sha "$(git rev-parse HEAD)"',
    'fleet verify --target-tag main-4f2c1a9 --expected-sha "$(git rev-parse HEAD)"',
  ],
  redeploy: [
    'fleet redeploy --environment staging --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA"',
    'fleet redeploy --target-tag main-4f2c1a9 --canary acme --soak 2m --batch-size 5 --max-stragglers 1',
    'fleet redeploy --target-tag main-4f2c1a9 --dry-run --json | jq .counts',
    'fleet redeploy --environment staging --target-tag main-4f2c1a9 --on-server',
  ],
  rollback: [
    'fleet rollback --environment staging --dry-run',
    'fleet rollback --environment staging --freeze "incident 12"',
    'fleet rollback --environment staging --to 6f1c1f0e --only acme --yes',
  ],
  plan: ['fleet plan --environment staging --target-tag main-4f2c1a9'],
  gates: [
    'fleet gates --environment staging --expected-sha "$GITHUB_SHA"',
    'fleet gates --require-context "ci / test (push)" --timeout 15m && ./publish.sh',
  ],
  verify: [
    'fleet verify --environment staging --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA"',
    'fleet verify --tenant acme --tenant beta --expected-sha "$GITHUB_SHA" --report-junit fleet.xml',
  ],
  status: [
    'fleet status --environment staging',
    'fleet status --environment staging --watch',
    'fleet status --environment staging --json | jq .tenants.commits',
  ],
  history: ['fleet history --environment staging -n 5', 'fleet history show 6f1c1f0e --environment staging'],
  watch: [
    'fleet watch --environment staging --alert-issue --commit-status',
    'fleet watch --environment staging --every 10m --max-quiet 26h',
  ],
  doctor: [
    'fleet doctor --environment staging',
    'fleet doctor --json | jq .checks',
    'fleet doctor --check-upgrade',
  ],
  conformance: [
    'fleet conformance https://staging-api.example.com',
    'fleet conformance http://127.0.0.1:8080 --json | jq .counts',
    'fleet conformance http://127.0.0.1:8080 --full --lock-group scratch --tenant-url "http://127.0.0.1:8081/{slug}" --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA" --junit conformance.xml',
  ],
  config: ['fleet config --environment staging', 'fleet config schema >fleet.config.schema.json'],
  'config schema': ['fleet config schema >fleet.config.schema.json'],
  'rollout list': ['fleet rollout list --environment staging', 'fleet rollout list --state running --json'],
  'rollout show': ['fleet rollout show 6f1c1f0e'],
  'rollout attach': ['fleet rollout attach 6f1c1f0e'],
  'rollout pause': ['fleet rollout pause 6f1c1f0e --reason "looking at acme first"'],
  'rollout resume': ['fleet rollout resume 6f1c1f0e --reason "acme is well"'],
  'rollout abort': ['fleet rollout abort 6f1c1f0e --reason "incident 12"'],
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
  init: [
    'fleet init',
    'fleet init --control-plane https://staging-api.example.com --tenant-url "https://{slug}.staging.example.com" --dry-run',
  ],
  completion: ['fleet completion fish | source', 'source <(fleet completion bash)'],
  report: [
    'fleet report result.json',
    'fleet report result.json --html result.html',
    'fleet report result.json --format markdown >>"$GITHUB_STEP_SUMMARY"',
  ],
  help: ['fleet help outcomes', 'fleet help redeploy'],
  version: ['fleet version'],
};

type Codes = Record<string, string>;
const USAGE: Codes = { 2: 'usage: a bad flag, variable or file; nothing was requested' };
const SIGNALS: Codes = { 130: 'interrupted (SIGINT); 143: SIGTERM, 129: SIGHUP' };
const UNTRUSTED: Codes = { 4: 'refused: the event that started this is not trusted with a secret' };
const CONTROL_PLANE: Codes = { 5: 'the control plane could not be used' };
/** What every command does that talks to the lock server. */
const LOCK: Codes = {
  ...USAGE,
  4: 'refused: by the lock server, or as no secret may leave',
  5: 'the lock server could not be used',
  ...SIGNALS,
};

/** What every command does that asks for rollouts of the server. */
const ROLLOUTS: Codes = {
  ...USAGE,
  4: 'refused: by the control plane, or as no secret may leave',
  5: 'the control plane could not be used, or runs no rollouts',
  ...SIGNALS,
};

/** What a command ends with, by the words that are typed for it. */
export const EXIT_CODES: Record<string, Codes> = {
  redeploy: {
    0: 'proven on every tenant (or planned, superseded, held in CI: read the outcome)',
    1: 'failed: not every tenant is proven',
    ...USAGE,
    3: 'the lock was not had in time, or lost',
    4: 'refused by a gate, held, or declined at the prompt',
    ...CONTROL_PLANE,
    ...SIGNALS,
  },
  rollback: {
    0: 'proven on every tenant (or planned, or superseded: read the outcome)',
    1: 'failed: not every tenant is proven, or there is nothing to go back to',
    ...USAGE,
    3: 'the lock was not had in time, or lost',
    4: 'refused by a gate, held, or declined at the prompt',
    5: 'the control plane could not be used, or keeps no rollouts',
    ...SIGNALS,
  },
  plan: {
    0: 'planned, whatever the gates say: they are shown and not obeyed',
    1: 'failed: a roll could not be planned',
    ...USAGE,
    4: 'refused: an untrusted event, or the time was up at a gate',
    ...CONTROL_PLANE,
    ...SIGNALS,
  },
  gates: {
    0: 'every gate is passed',
    ...USAGE,
    4: 'a gate is not passed or cannot be read, deploys are held, or a newer commit is there',
    ...SIGNALS,
  },
  verify: {
    0: 'proven on every tenant, within the tolerance',
    1: 'failed: not every tenant is proven',
    ...USAGE,
    ...UNTRUSTED,
    ...CONTROL_PLANE,
    ...SIGNALS,
  },
  status: {
    0: 'it could look, whatever it saw',
    ...USAGE,
    ...UNTRUSTED,
    ...CONTROL_PLANE,
    130: 'ended by Ctrl-C (SIGINT); 143: SIGTERM, 129: SIGHUP',
  },
  history: {
    0: 'shown, also where there is none yet',
    1: 'no such rollout is on record',
    ...USAGE,
    ...UNTRUSTED,
    5: 'the control plane could not be used, or keeps no rollouts',
  },
  watch: {
    0: 'all is well',
    1: 'something was found',
    ...USAGE,
    ...UNTRUSTED,
    ...CONTROL_PLANE,
    ...SIGNALS,
  },
  doctor: { 0: 'no problem, warnings aside', 1: 'there is a problem', ...USAGE, ...SIGNALS },
  conformance: {
    0: 'no case was missed',
    1: 'something was missed',
    ...USAGE,
    ...UNTRUSTED,
    5: 'the control plane cannot be reached, or does not take the token',
    ...SIGNALS,
  },
  config: { 0: 'shown; nothing was requested', 2: 'usage: a bad flag, variable or file' },
  report: { 0: 'shown, whatever the outcome of that run', 2: 'usage: a bad flag, or no result to read' },
  help: { 0: 'shown', 2: 'usage: no such command, and no such topic' },
  version: { 0: 'printed', 2: 'usage: a bad flag' },
  completion: { 0: 'printed', 2: 'usage: no such shell' },
  lint: {
    0: 'no error; with --strict no warning either',
    1: 'something was found',
    2: 'usage: a bad flag, no such folder, or nothing to read in it',
  },
  init: {
    0: 'written, or nothing to do; shown with --dry-run',
    1: 'the linter finds an error in the files as they are now',
    2: 'usage: an answer is missing or wrong, or a file cannot be read; nothing was written',
    4: 'declined at the prompt: nothing was written',
  },
  'rollout list': { 0: 'shown, also where there is none', ...ROLLOUTS },
  'rollout show': { 0: 'shown, whatever its outcome', ...ROLLOUTS },
  'rollout attach': {
    0: 'proven on every tenant (or superseded, held in CI: read the outcome)',
    1: 'failed: not every tenant is proven',
    ...USAGE,
    3: 'the rollout did not get the lock in time, or lost it',
    4: 'refused, or held',
    5: 'the control plane could not be used, or runs no rollouts',
    130: 'no longer watched (SIGINT), the rollout goes on; 143: SIGTERM, 129: SIGHUP',
  },
  'rollout pause': { 0: 'it pauses before its next wave', ...ROLLOUTS },
  'rollout resume': { 0: 'it goes on', ...ROLLOUTS },
  'rollout abort': { 0: 'it ends before its next wave', ...ROLLOUTS },
  'lock status': { 0: 'shown', ...LOCK },
  'lock run': {
    N: 'of the command once it ran; 128+n where a signal ended it',
    ...USAGE,
    3: 'the lock was not had in time, or lost: then the command was ended',
    4: 'the lock is frozen',
    5: 'the lock server could not be used',
    126: 'the command may not be run; 127: it was not found',
    130: 'interrupted (SIGINT) while waiting; 143: SIGTERM, 129: SIGHUP',
  },
  'lock break': {
    0: 'broken, or nobody held it',
    ...LOCK,
    4: 'nothing was broken: declined, another holder, or one that is alive',
  },
  'lock freeze': { 0: 'frozen', ...LOCK },
  'lock unfreeze': { 0: 'not frozen any more', ...LOCK },
  'lock log': { 0: 'shown, or verified', ...LOCK, 4: 'the log does not hold, or no secret may leave' },
};

/** Numbers come first in an object, whatever its order: what is no number goes before them. */
const codeLines = (codes: Codes): string =>
  Object.entries(codes)
    .sort(([one], [other]) => Number(other === 'N') - Number(one === 'N'))
    .map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`)
    .join('\n');

/** Adds examples and exit codes to a command and to all below it. @param path Words that are typed for it. */
export function addHelp(command: Command, path: string[] = []): void {
  const examples = EXAMPLES[path.join(' ') || command.name()];
  if (examples)
    command.addHelpText('before', `Examples:\n${examples.map((line) => `  ${line}`).join('\n')}\n`);
  // A command with commands below it may be one itself, and they end as it does.
  const codes = EXIT_CODES[path.join(' ')] ?? EXIT_CODES[path.slice(0, -1).join(' ')];
  if (codes) {
    command.addHelpText('after', `\nExit codes:\n${codeLines(codes)}`);
    if (command.options.some((option) => option.long === '--config')) {
      command.addHelpText(
        'after',
        '\nA flag wins over a variable, that over fleet.config.yaml, that over the default.',
      );
    }
  }
  for (const one of command.commands) addHelp(one, [...path, one.name()]);
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
