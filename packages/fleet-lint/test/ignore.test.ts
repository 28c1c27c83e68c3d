import { expect, it } from 'vitest';
import { lintWorkflows } from '../src/index.js';
import { deploying, rule, scripted, WORKFLOW } from './check.js';

const ids = (text: string) => lintWorkflows([{ path: WORKFLOW, text }]).map((one) => one.rule);

it.each([
  [
    'on the line',
    deploying({ step: 'continue-on-error: true # fleet-lint-ignore masked-failure: a rehearsal' }),
  ],
  [
    'on the line above',
    deploying({ step: '# fleet-lint-ignore masked-failure: a rehearsal\ncontinue-on-error: true' }),
  ],
  [
    'above another comment',
    deploying({
      step: '# fleet-lint-ignore masked-failure: a rehearsal\n# and more\ncontinue-on-error: true',
    }),
  ],
  ['in a script', scripted('# fleet-lint-ignore masked-exit-code: a rehearsal\nfleet redeploy || true')],
])('an ignore %s takes the finding out', (_name, text) => {
  expect(ids(text)).toEqual([]);
});

it('an ignore takes out one rule, and only in its place', () => {
  const text = deploying({
    job: '# fleet-lint-ignore masked-failure: a rehearsal\ncontinue-on-error: true\nenvironment: x',
    step: 'continue-on-error: true',
  });
  expect(ids(text)).toEqual(['ignored-environment', 'masked-failure']);
});

rule('ignore-without-reason', {
  bad: {
    'no reason': {
      input: deploying({ step: 'continue-on-error: true # fleet-lint-ignore masked-failure' }),
      at: '# fleet-lint',
      severity: 'warning',
    },
    'no rule': {
      input: deploying({ step: '# fleet-lint-ignore\nif: always()' }),
      at: '# fleet-lint',
      severity: 'warning',
    },
  },
  good: {
    'a reason': deploying({ step: 'continue-on-error: true # fleet-lint-ignore masked-failure: why' }),
  },
});

rule('unused-ignore', {
  bad: {
    'nothing there': {
      input: deploying({ step: '# fleet-lint-ignore masked-failure: gone\nif: always()' }),
      at: '# fleet-lint',
      severity: 'warning',
    },
    'another rule': {
      input: deploying({ step: 'continue-on-error: true # fleet-lint-ignore moving-ref: why' }),
      at: '# fleet-lint',
      severity: 'warning',
    },
  },
  good: { 'another comment': deploying({ step: '# fleet lint is run in CI\nif: always()' }) },
});

it('an ignore without a reason ignores nothing', () => {
  const text = deploying({ step: 'continue-on-error: true # fleet-lint-ignore masked-failure' });
  expect(ids(text)).toEqual(['masked-failure', 'ignore-without-reason']);
});
