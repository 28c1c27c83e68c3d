/** Packages that a script runs by a name that somebody else may own. */
import { type Step, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { textsBelow } from '../syntax/expressions.js';
import { commandsIn, parseShell, wordsOf } from '../syntax/shell.js';
import { placeIn } from '../syntax/source.js';

const FETCHES =
  /(?:^|\s)(?:npx|pnpx|bunx|(?:pnpm|yarn)\s+dlx|npm\s+(?:exec|x))\s|(?:^|\s)(?:npm|pnpm|yarn|bun)\s+(?:i|install|add|global\s+add)\s/;
/** Our packages and programs without their scope. */
const BARE = /^(?:fleet|fleet-(?:cli|control-plane|action|core|lint))(?:@[^/]*)?$/;
const FLAG = /^(?:-|--$)/;

export const unownedPackage: Rule = {
  id: 'unowned-package',
  severity: 'error',
  elsewhere: 'warning',
  shape: '`npx fleet`, `npx fleet-control-plane`, `npm install -g fleet-cli`: a name without its scope',
  why: 'it is not the name of our package: whoever owns it on the public registry runs beside the token of the control plane',
  next: 'write `npx -y @tenant-fleet/fleet-cli` (or `@tenant-fleet/fleet-control-plane`)',
  check({ steps }, report) {
    for (const step of steps) {
      const { run, source } = step;
      if (!run?.text.includes('fleet')) continue;
      for (const command of commandsIn(parseShell(run.text).script)) {
        const name = fetched(wordsOf(command));
        if (name === undefined) continue;
        const what = `\`${name}\` is not a package of fleet`;
        const secret = hasSecret(step);
        report(
          placeIn(source, run.node, command.pos),
          secret ? `${what}, and a secret is in its environment` : what,
          secret ? 'error' : undefined,
        );
      }
    }
  },
};

/** The package that a command fetches, where it is called as one of ours without its scope. */
function fetched(words: readonly string[]): string | undefined {
  const line = words.join(' ');
  const match = FETCHES.exec(`${line} `);
  // What was installed before is not fetched.
  if (!match || /\s--no(?:-install)?(?:\s|$)|@tenant-fleet\//.test(line)) return undefined;
  const before = line
    .slice(0, match.index + match[0].length)
    .trim()
    .split(/\s+/).length;
  const rest = words.slice(before);
  const installs = /(?:i|install|add)\s$/.test(match[0]);
  const named = rest.filter((word) => !FLAG.test(word));
  return installs ? named.find((word) => BARE.test(word)) : named.slice(0, 1).find((word) => BARE.test(word));
}

function hasSecret({ source, env, run, job }: Step): boolean {
  const layers = [valueAt(job?.entries ?? [], 'env'), valueAt(job?.workflow.entries ?? [], 'env'), run?.node];
  const texts = [...env.map(({ value }) => value), ...layers].flatMap((node) => textsBelow(source, node));
  return texts.some(({ text }) => /\$\{\{[^}]*\bsecrets\b/.test(text));
}
