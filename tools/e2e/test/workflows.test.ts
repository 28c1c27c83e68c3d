import { spawnSync } from 'node:child_process';
import { lintWorkflows } from '@tenant-fleet/fleet-lint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  asConsumer,
  COMPOSITE,
  exampleOf,
  pathOf,
  pinnedVersion,
  REPOSITORY,
  read,
  WORKFLOWS,
} from './files.js';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}
interface Workflow {
  name: string;
  on: Record<string, unknown>;
  concurrency?: unknown;
  jobs: Record<
    string,
    { needs?: string | string[]; if?: string; steps: Step[]; 'continue-on-error'?: unknown }
  >;
}

/** What a workflow deploys with. @throws where it does not deploy through the shared composite, exactly once. */
function deployOf(workflow: Workflow): { step: Step; job: string } {
  const found = Object.entries(workflow.jobs).flatMap(([job, { steps }]) =>
    steps.filter(({ uses }) => uses?.split('@')[0]?.endsWith(COMPOSITE)).map((step) => ({ step, job })),
  );
  const [deploy] = found;
  if (!deploy || found.length > 1)
    throw new Error(`${workflow.name} uses ${COMPOSITE} ${found.length} times`);
  return deploy;
}

const parsed = (file: string) => parse(read(file)) as Workflow;
const files = WORKFLOWS.flatMap((name) => [`.gitea/workflows/${name}`, exampleOf(name)]);

it.each(WORKFLOWS)("the example's %s is that of this repository", async (name) => {
  await expect(asConsumer(name)).toMatchFileSnapshot(pathOf(exampleOf(name)));
});

it('the documentation pins the release that these packages make', () => {
  for (const file of ['README.md', 'packages/fleet-action/README.md', 'docs/pinning.md']) {
    const pins = read(file).match(/(?<=redeploy-fleet@|fleet-action@)v[\w.]+/g);
    expect(new Set(pins), file).toEqual(new Set([`v${pinnedVersion()}`]));
  }
});

it.each([
  exampleOf('watch-staging.yml'),
  exampleOf('release-workspace-server.yml'),
  'examples/workspace-server/after-deploy.sh',
])('%s is that release too', (file) => {
  const pins = read(file).match(/(?<=fleet-cli@|redeploy-fleet@v)[\d.]+/g);
  expect(new Set(pins)).toEqual(new Set([pinnedVersion()]));
});

it('nothing is promoted without a proof, and what is promoted is what was proven', () => {
  const { jobs } = parsed(exampleOf('release-workspace-server.yml'));
  for (const job of ['latest', 'production'])
    expect(jobs[job]).toMatchObject({
      needs: expect.arrayContaining(['build', 'staging']),
      if: "needs.staging.outputs.deployed == 'true'",
    });
  const deploys = ['staging', 'production'].map((job) => {
    const {
      'target-tag': target,
      'expected-sha': sha,
      ...inputs
    } = jobs[job]?.steps.find(({ uses }) => uses?.includes(COMPOSITE))?.with ?? {};
    return { target, sha, image: inputs.image, branch: inputs.branch };
  });
  expect(deploys[0]).toEqual(deploys[1]);
  expect(Object.values(deploys[0] ?? {}).every(Boolean)).toBe(true);
});

it.each(['.', 'examples/workspace-server'])('fleet lint has nothing to say about %s', (folder) => {
  const cli = pathOf('packages/fleet-cli/dist/cli.js');
  const { status, stdout } = spawnSync(process.execPath, [cli, 'lint', '--strict', pathOf(folder)], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('nothing found in');
  expect(status).toBe(0);
});

describe.each(files)('%s', (file) => {
  it('deploys through the shared composite, and through nothing else', () => {
    const workflow = parsed(file);
    const { step } = deployOf(workflow);
    const others = Object.values(workflow.jobs).flatMap(({ steps }) => steps.filter((each) => each !== step));
    const text = JSON.stringify(others);
    expect(text).not.toMatch(/redeploy-fleet|fleet-action|fleet redeploy/);
    expect(text).not.toContain('FLEET_CP_TOKEN');
  });

  it('1: would be found out without it', () => {
    const workflow = parsed(file);
    const { step, job } = deployOf(workflow);
    const steps = workflow.jobs[job]?.steps ?? [];
    steps.splice(steps.indexOf(step), 1);
    expect(() => deployOf(workflow)).toThrow('0 times');
  });

  it('4, 10: starts by what a person pushes or presses, without inputs, and hides no failure', () => {
    const { on, concurrency, jobs } = parsed(file);
    expect(Object.keys(on).filter((event) => !['push', 'workflow_dispatch'].includes(event))).toEqual([]);
    expect(on.push).toEqual(
      file.includes('publish')
        ? { branches: ['main'] }
        : { branches: ['staging'], tags: ['rollback/staging/**'] },
    );
    expect(on.workflow_dispatch ?? null).toBeNull();
    expect(concurrency).toBeUndefined();
    expect(Object.values(jobs).map((job) => job['continue-on-error'])).toEqual(
      Object.keys(jobs).map(() => undefined),
    );
  });
});

it.each(['.gitea/workflows/', 'examples/workspace-server/.gitea/workflows/'])(
  'both workflows of %s share the environment, and with it the lock group',
  (folder) => {
    const deploys = WORKFLOWS.map((name) => deployOf(parsed(folder + name)).step.with ?? {});
    const [publish, staging] = deploys.map((inputs) =>
      Object.fromEntries(
        Object.entries(inputs).filter(([name]) => !/^(target-tag|expected-sha)$/.test(name)),
      ),
    );
    expect(publish).toEqual(staging);
    expect(publish?.environment).toBe('staging');
    expect(publish?.['lock-group']).toBeUndefined();
  },
);

it('deploys what the build made, and only after it', () => {
  const { jobs } = parsed(exampleOf('publish-workspace-server-image.yml'));
  expect(jobs['deploy-staging']?.needs).toBe('build');
  expect(jobs['deploy-staging']?.if).toBe("github.event_name == 'push' && github.ref == 'refs/heads/main'");
});

describe('the composite', () => {
  const composite = parse(read(`${COMPOSITE}/action.yml`)) as {
    inputs: Record<string, unknown>;
    outputs: Record<string, { value: string }>;
    runs: { steps: Step[] };
  };
  const action = parse(read('packages/fleet-action/action.yml')) as typeof composite;
  const roll = composite.runs.steps.find(({ uses }) => uses);

  it('hands each of its inputs to the step, under the same name', () => {
    const names = Object.keys(composite.inputs);
    expect(Object.keys(roll?.with ?? {}).sort()).toEqual([...names].sort());
    for (const name of names) expect(roll?.with?.[name]).toContain(`inputs.${name}`);
    expect(names.filter((name) => !(name in action.inputs))).toEqual([]);
  });

  it('has the inputs that fleet lint knows of', () => {
    const lines = [...Object.keys(composite.inputs), 'no-lock'].map((name) => `          ${name}: x`);
    const text = [
      'on: push',
      'jobs:',
      '  deploy:',
      '    steps:',
      `      - uses: ${REPOSITORY}/${COMPOSITE}@v1.0.0`,
      '        with:',
      ...lines,
    ].join('\n');
    const unknown = lintWorkflows([{ path: '.gitea/workflows/x.yml', text }]).filter(
      ({ rule }) => rule === 'unknown-input',
    );
    expect(unknown.map(({ message }) => message.replace(/;.*/, ''))).toEqual(['there is no input `no-lock`']);
  });

  it('hands every output of the step back', () => {
    expect(Object.keys(composite.outputs)).toEqual(Object.keys(action.outputs));
    for (const [name, { value }] of Object.entries(composite.outputs))
      expect(value).toBe(`\${{ steps.roll.outputs.${name} }}`);
  });
});
