/** What a repository gets so that its merges reach its fleet: files as they would be, and what people have to look at. */
import { resolveConfig } from '@tenant-fleet/fleet-core/config';
import {
  type Finding,
  type Left,
  type LintFile,
  lintWorkflows,
  type Replacement,
  type ReplaceOptions,
  replaceCalls,
} from '@tenant-fleet/fleet-lint';
import { type Answers, configText, deployWorkflow, type Fleet } from './files.js';

export interface FileChange {
  path: string;
  /** Empty for a file that is new. */
  before: string;
  after: string;
}

export interface Proposal {
  changes: FileChange[];
  /** What deploys by hand did, and the proposal does not. */
  left: Left[];
  /** What the linter says of the repository as it would be. */
  findings: Finding[];
  /** Secrets and variables that the repository did not read before. */
  secrets: string[];
}

/** What deploys by hand say of themselves; undefined where they do not, or the repository has none. */
export function answersIn(files: readonly LintFile[]): Partial<Answers> {
  const [first] = replacementsIn(files, 'x@v1', environmentOf);
  return {
    environment: first?.environment,
    controlPlane: first?.settings['control-plane'] as string | undefined,
    tenantUrl: first?.settings['tenant-url'] as string | undefined,
  };
}

/** Whether a repository deploys by fleet already. */
export const usesFleet = (files: readonly LintFile[]): boolean =>
  files.some(({ text }) => /(?:actions\/redeploy-fleet|packages\/fleet-action)@|fleet-cli@?\S*\s/.test(text));

/** @param typed Whether the environment was chosen, and holds for every workflow. */
export function propose(
  files: readonly LintFile[],
  answers: Answers,
  folder: string,
  typed: boolean,
): Proposal {
  const replacements = replacementsIn(
    files,
    answers.action,
    typed ? () => answers.environment : environmentOf,
  );
  const { fleets, left } = fleetsOf(replacements, answers);
  const hasConfig = files.some(({ path }) => isConfig(path));
  const changes: FileChange[] = replacements.map(({ path, before, after }) => ({ path, before, after }));
  if (!replacements.length && !usesFleet(files))
    changes.push({ path: `${folder}/deploy.yml`, before: '', after: deployWorkflow(answers) });
  if (hasConfig && replacements.length) left.push(...noteOnConfig(files));
  if (!hasConfig) changes.unshift({ path: 'fleet.config.yaml', before: '', after: configText(fleets) });
  const after = [
    ...files.filter(({ path }) => !changes.some((change) => change.path === path)),
    ...changes.map((change) => ({ path: change.path, text: change.after })),
  ];
  return {
    changes: changes.filter((change) => change.before !== change.after),
    left: [...replacements.flatMap((one) => one.left), ...left],
    findings: lintWorkflows(after),
    secrets: namesRead(changes),
  };
}

/** What a run would say to the configuration. @throws FleetError `USAGE`, as the run would. */
export function checkAnswers({ environment, controlPlane, tenantUrl }: Answers): void {
  resolveConfig('redeploy', {
    flags: {
      'control-plane': controlPlane,
      'tenant-url': tenantUrl,
      'lock-group': environment,
      'target-tag': 'main-0000000',
      'expected-sha': '1'.repeat(40),
    },
    env: { FLEET_CP_TOKEN: 'init-asks' },
  });
}

const isConfig = (path: string) => /^fleet\.config\.(?:ya?ml|json)$/.test(path);

const replacementsIn = (
  files: readonly LintFile[],
  uses: string,
  environment: ReplaceOptions['environment'],
): Replacement[] => files.flatMap((file) => replaceCalls(file, { uses, environment }) ?? []);

/** Production where file or address say so, else staging: a fleet is never taken for the more dangerous one. */
const environmentOf: ReplaceOptions['environment'] = ({ path, settings }) =>
  /prod/i.test(`${path} ${settings['control-plane'] ?? ''}`) ? 'production' : 'staging';

function fleetsOf(replacements: readonly Replacement[], answers: Answers) {
  const fleets = new Map<string, Fleet>();
  const left: Left[] = [];
  for (const replacement of replacements) {
    const name = replacement.environment;
    const fleet = fleets.get(name) ?? {};
    for (const [setting, value] of Object.entries(replacement.settings)) {
      const before = fleet[setting];
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(value)) {
        const message = `\`${setting}\` is ${value} here, and ${before} in another workflow of ${name}: that one is taken`;
        left.push({ place: { file: replacement.path, line: 1, column: 1 }, message });
      }
      fleet[setting] ??= value;
    }
    fleets.set(name, fleet);
  }
  const own = fleets.get(answers.environment) ?? {};
  const asked = { 'control-plane': answers.controlPlane, 'tenant-url': answers.tenantUrl };
  fleets.set(answers.environment, { ...asked, ...own, ...asked });
  return { fleets, left };
}

function noteOnConfig(files: readonly LintFile[]): Left[] {
  const file = files.find(({ path }) => isConfig(path))?.path ?? '';
  const message = 'is there already and stays as it is: hold it against the settings of the workflows';
  return [{ place: { file, line: 1, column: 1 }, message }];
}

function namesRead(changes: readonly FileChange[]): string[] {
  const namesIn = (texts: string[]) =>
    texts.flatMap((text) => [...text.matchAll(/\b(?:secrets|vars)\.\w+/g)].map(([name]) => name));
  const before = namesIn(changes.map((change) => change.before));
  const after = namesIn(changes.map((change) => change.after));
  return [...new Set(after)].filter((name) => !before.includes(name)).sort();
}
