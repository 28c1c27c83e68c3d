/** Cases of a rule: shapes that it finds, each at its exact place, beside shapes that it leaves alone. */
import { describe, expect, it } from 'vitest';
import { type LintFile, lintWorkflows, type Severity } from '../src/index.js';

export type Input = string | LintFile[];

export interface Bad {
  input: Input;
  /** What stands at the place of the finding; its first occurrence counts. */
  at: string;
  severity?: Severity;
  /** Part of the message. */
  says?: string;
}

export const WORKFLOW = '.gitea/workflows/deploy.yml';

export const filesOf = (input: Input): LintFile[] =>
  typeof input === 'string' ? [{ path: WORKFLOW, text: input }] : input;

export function rule(id: string, cases: { bad: Record<string, Bad>; good: Record<string, Input> }): void {
  describe(id, () => {
    it.each(Object.entries(cases.bad))('finds %s', (_name, { input, at, severity, says }) => {
      const files = filesOf(input);
      const found = lintWorkflows(files).filter((one) => one.rule === id);
      expect(found.length, 'number of findings').toBe(1);
      const [finding] = found;
      const text = files.find(({ path }) => path === finding?.file)?.text ?? '';
      const before = text.slice(0, text.indexOf(at)).split('\n');
      expect(text).toContain(at);
      const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
      expect(finding).toMatchObject({ ...place, severity: severity ?? 'error' });
      if (says) expect(finding?.message).toContain(says);
    });
    it.each(Object.entries(cases.good))('leaves %s alone', (_name, input) => {
      expect(lintWorkflows(filesOf(input)).filter((one) => one.rule === id)).toEqual([]);
    });
  });
}

const indented = (text: string, by: number) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${' '.repeat(by)}${line}\n`)
    .join('');

export const ACTION_REF = 'https://git.example.com/tenant-fleet/fleet/packages/fleet-action@v0.1.0';

interface Parts {
  on?: string;
  /** Keys of the workflow, the job, the deploy step and its inputs. */
  top?: string;
  job?: string;
  step?: string;
  inputs?: string;
  /** More jobs, before the deploy job. */
  jobs?: string;
  uses?: string;
}

/** A workflow whose job `deploy` uses the action. */
export function deploying({
  on = 'push',
  top = '',
  job = '',
  step = '',
  inputs,
  jobs = '',
  uses,
}: Parts = {}) {
  const given = inputs ?? 'environment: staging';
  return `name: deploy
on: ${on}
${indented(top, 0)}jobs:
${indented(jobs, 2)}  deploy:
    runs-on: ubuntu-latest
${indented(job, 4)}    steps:
      - uses: actions/checkout@v4
      - uses: ${uses ?? ACTION_REF}
        with:
${indented(given, 10)}${indented(step, 8)}`;
}

/** The same with a script for the deploy. */
export function scripted(script: string, { on = 'push', top = '', job = '', step = '' }: Parts = {}): string {
  return `name: deploy
on: ${on}
${indented(top, 0)}jobs:
  deploy:
    runs-on: ubuntu-latest
${indented(job, 4)}    steps:
      - run: |
${indented(script, 10)}${indented(step, 8)}`;
}

/** A workflow that deploys nothing. */
export const testing = (on = 'push', job = '') => `name: test
on: ${on}
jobs:
  test:
    runs-on: ubuntu-latest
${indented(job, 4)}    steps:
      - run: make test
`;
