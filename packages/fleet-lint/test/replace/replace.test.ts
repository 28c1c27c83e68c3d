/** Deploys by hand become one step of fleet, and what does not come along is named. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { lintWorkflows, type Replacement, replaceCalls } from '../../src/index.js';
import { OLD_PUBLISH, OLD_STAGING } from './old.js';

const USES = 'https://git.example.com/tenant-fleet/fleet/.gitea/actions/redeploy-fleet@v0.1.0';
const path = '.gitea/workflows/deploy.yml';
const CONFIG = `environments:
  staging:
    control-plane: https://staging-api.example.com
    tenant-url: https://{slug}.staging.example.com
`;

const replaced = (text: string): Replacement => {
  const found = replaceCalls({ path, text }, { uses: USES, environment: () => 'staging' });
  if (!found) throw new Error('nothing was replaced');
  return found;
};
const messages = ({ left }: Replacement) => left.map(({ place, message }) => `${place.line}: ${message}`);

it('the environment is told by what the scripts carry, in whatever job of the file', () => {
  const environment = vi.fn(() => 'blue');
  const found = replaceCalls({ path, text: OLD_PUBLISH }, { uses: USES, environment });
  expect(environment.mock.calls).toEqual([[{ path, settings: found?.settings }]]);
  expect(found?.after).toContain('environment: blue\n');
  expect(found?.environment).toBe('blue');
});

describe('an inlined deploy job', () => {
  const found = replaced(OLD_PUBLISH);

  it('becomes one step, with the rest of the file as it was', () => {
    const [head = '', job = ''] = found.after.split('  deploy-staging:\n');
    expect(head).toBe(
      (OLD_PUBLISH.split('  deploy-staging:\n')[0] ?? '').replace(/concurrency:\n.*\n.*\n/, ''),
    );
    expect(job).toMatchInlineSnapshot(`
      "    needs: build
          if: github.event_name == 'push' && github.ref == 'refs/heads/main'
          runs-on: ubuntu-latest
          timeout-minutes: 45
          permissions:
            contents: write
            issues: write
          steps:
            - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
            - name: Redeploy the staging tenants
              uses: https://git.example.com/tenant-fleet/fleet/.gitea/actions/redeploy-fleet@v0.1.0
              id: redeploy
              with:
                environment: staging
                target-tag: staging-\${{ needs.build.outputs.sha7 }}
                expected-sha: \${{ github.sha }}
                token: \${{ secrets.CP_STAGING_ADMIN_API_TOKEN }}
                hold: \${{ vars.STAGING_AUTO_DEPLOY_DISABLED }}
            - name: Tell the chat
              if: failure()
              run: curl -sS -X POST -d '{"text":"staging is red"}' "$HOOK"
              env:
                HOOK: \${{ secrets.CHAT_HOOK }}
      "
    `);
  });

  it('leaves its settings to the configuration file', () => {
    expect(found.settings).toEqual({
      'control-plane': 'https://staging-api.example.com',
      'tenant-url': 'https://{slug}.staging.example.com',
      canary: 'hongdou',
      soak: '60s',
      'batch-size': 3,
      'settle-budget': '240s',
      ephemeral: ['e2e-*', 'rt-e2e-*'],
    });
  });

  it('names what it took out', () => {
    expect(messages(found)).toEqual([
      expect.stringMatching(/^6: `concurrency` is taken out/),
      expect.stringMatching(/^24: \$\{\{ vars\.STAGING_CP_URL .* is not read any more/),
    ]);
  });
});

describe('a workflow of the staging branch', () => {
  const found = replaced(OLD_STAGING);

  it('lets a shell say the tag that only a shell can', () => {
    expect(found.after).toContain(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: shell
      'run: echo "tag=staging-${GITHUB_SHA::7}" >> "$GITHUB_OUTPUT"\n',
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow
    expect(found.after).toContain('target-tag: ${{ steps.fleet-target.outputs.tag }}\n');
  });

  it('takes rounds times their pause for the settle budget', () => {
    expect(found.settings['settle-budget']).toBe('240s');
  });

  it('names commands that fleet has nothing for, and what hid a failure', () => {
    expect(messages(found)).toEqual([
      expect.stringMatching(/^9: `continue-on-error` is taken out/),
      expect.stringMatching(/^10: `concurrency` is taken out/),
      expect.stringMatching(/^16: `aws ecr describe-images .* is not taken over/),
    ]);
  });
});

it('leaves nothing for lint to find', () => {
  const files = [OLD_PUBLISH, OLD_STAGING].map((text, at) => ({
    path: `.gitea/workflows/${at}.yml`,
    text: replaced(text).after,
  }));
  expect(lintWorkflows([...files, { path: 'fleet.config.yaml', text: CONFIG }])).toEqual([]);
});

it('docs/migrating.md speaks of lines that are there, and of settings that are found', () => {
  const page = readFileSync(new URL('../../../../docs/migrating.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (.+?) (?<!\\)\| (.+) \|$/gm)].slice(2);
  const codes = (cell = '') =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\\|', '|'));
  const before = OLD_PUBLISH + OLD_STAGING;
  expect(rows.length).toBeGreaterThan(12);
  for (const [, old] of rows) for (const code of codes(old)) expect(before).toContain(code);
  const found = [OLD_PUBLISH, OLD_STAGING].map(replaced);
  const names = found.flatMap(({ settings }) => Object.keys(settings));
  for (const name of new Set(names)) expect(rows.some(([, , put]) => put?.includes(name))).toBe(true);
});

it('finds nothing in what it made', () => {
  for (const text of [OLD_PUBLISH, OLD_STAGING])
    expect(
      replaceCalls({ path, text: replaced(text).after }, { uses: USES, environment: () => 'staging' }),
    ).toBe(null);
});

it('says where another step reads what is gone', () => {
  const reader =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow
    '      - run: echo "$RESULT"\n        env:\n          RESULT: ${{ steps.redeploy.outputs.body }}\n';
  const line = OLD_PUBLISH.split('\n').length + 2;
  expect(messages(replaced(OLD_PUBLISH + reader)).at(-1)).toMatch(
    new RegExp(`^${line}: output \`body\` of step \`redeploy\` is gone`),
  );
});

it('keeps a variable of the job that other steps read', () => {
  const reader = '      - run: echo "$TARGET_TAG"\n';
  const { after } = replaced(OLD_PUBLISH + reader);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow
  expect(after).toContain('    env:\n      TARGET_TAG: staging-${{ needs.build.outputs.sha7 }}\n');
  expect(after).not.toContain('CP_TOKEN:');
});

it.each([
  [
    'steps on one line',
    'jobs:\n  a:\n    steps: [{run: "curl -X POST $CP/cp/admin/tenants/redeploy-fleet"}]\n',
  ],
  [
    'an anchor',
    'x: &s\n  run: curl -X POST $CP/cp/admin/tenants/redeploy-fleet\njobs:\n  a:\n    steps:\n      - *s\n',
  ],
])('leaves %s as it is, and says so', (_name, text) => {
  const found = replaced(`on: push\n${text}`);
  expect(found.after).toBe(found.before);
  expect(messages(found)).toEqual([expect.stringContaining('do it by hand')]);
});

it.each([
  ['a workflow without a deploy', 'on: push\njobs:\n  a:\n    steps:\n      - run: make\n'],
  ['what is not YAML', 'on: [push'],
])('has nothing to do in %s', (_name, text) => {
  expect(replaceCalls({ path, text }, { uses: USES, environment: () => 'staging' })).toBe(null);
});
