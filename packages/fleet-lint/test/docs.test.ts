import { expect, it } from 'vitest';
import { SERVERS } from '../src/index.js';
import type { RuleText } from '../src/rule.js';
import { RULE_GROUPS } from '../src/rules.js';

const HEAD = `# fleet lint

<!-- Made from the rules in packages/fleet-lint/src and checked by a test; change it there. -->

\`fleet lint [DIR]\` reads the \`.yml\` and \`.yaml\` files below \`.forgejo/workflows\`, \`.gitea/workflows\` and
\`.github/workflows\`, the actions in \`.gitea/actions\` (and its sisters) and those that a workflow uses by \`./path\`, and
\`fleet.config.yaml\`. It reports the shapes that make a deploy silently not happen, or happen wrongly. It runs nothing and
asks no server.

- A *deploy* is a step that uses \`packages/fleet-action\` or \`.gitea/actions/redeploy-fleet\` of any repository at any ref,
  a script that calls \`fleet redeploy\` or \`fleet rollback\`, and a \`curl\` or \`wget\` to \`redeploy-fleet\`. A dry run is none.
- \`error\`: the deploy does not happen, or happens wrongly. \`warning\`: it does so on some server, runner or day.
  \`error / warning\`: an error in a file that deploys, a warning elsewhere.
- \`--server NAME\` (\`gitea-1.22\`, \`gitea-1.25\`, \`gitea-1.27\`, \`forgejo\`, \`github\`) leaves out what concerns other servers,
  and files that this one does not read: take the newest that is not newer than yours. Without it whatever bites on one of
  them is found. Forgejo's releases are not told apart.
- Exit code 0: no error; with \`--strict\` no warning either. 1: something was found. 2: usage, also where there is nothing
  to read.
- \`--format sarif\` prints SARIF 2.1.0. \`--json\` (\`--format json\`) prints one document, schema \`fleet-lint/1\`: \`passed\`, \`findings\` (file, line, column, rule, severity, message,
  why, next), \`counts\`, and the \`files\` that were read.
- A comment at the end of the line, or on a line of its own above it, takes back the findings of one rule in that line:
  \`# fleet-lint-ignore moving-ref: this fleet is a rehearsal\`. The reason is required.

It covers Gitea 1.22 to 1.27 with runners up to 3.3, Forgejo and GitHub. It reads shell by its commands, not by running it: what a
script sources, or a variable brings, is not seen.
`;

const cell = (text: string) => text.replaceAll('|', '\\|');
const severityOf = ({ severity, elsewhere }: RuleText) =>
  elsewhere ? `${severity} / ${elsewhere}` : severity;

function serversOf({ servers }: RuleText): string {
  if (!servers) return 'all';
  const missing = SERVERS.filter((one) => !servers.includes(one));
  return missing.length === 1 ? `all but ${missing}` : servers.join(', ');
}

function page(): string {
  const groups = RULE_GROUPS.map(({ title, rules }) =>
    [
      `## ${title}`,
      '',
      '| rule | severity | servers | shape | why it bites | what to do next |',
      '|---|---|---|---|---|---|',
      ...rules.map((rule) => {
        const { id, shape, why, next } = rule;
        return `| ${[`\`${id}\``, severityOf(rule), serversOf(rule), shape, why, next].map(cell).join(' | ')} |`;
      }),
    ].join('\n'),
  );
  return `${[HEAD, ...groups].join('\n\n').replace('\n\n\n', '\n\n')}\n`;
}

it('docs/lint.md has the rules as they are', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/lint.md');
});
