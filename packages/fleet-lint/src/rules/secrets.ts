/** Tokens and raw answers of the control plane that end up in logs. */
import type { Deploy } from '../repository/deploys.js';
import { type Step, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { referencesIn } from '../syntax/expression.js';
import { expressionsBelow } from '../syntax/expressions.js';
import type { Place } from '../syntax/place.js';
import { restOfList } from '../syntax/script.js';
import { placeIn, textOf } from '../syntax/source.js';

interface Hit {
  place: Place;
  text: string;
}

export const rawResponse: Rule = {
  id: 'raw-response',
  severity: 'error',
  shape:
    'an answer of the redeploy call that is printed: `curl` without `-o`, `cat` or `echo` of what it brought, `curl -v`',
  why: 'error texts of a control plane carry cloud identifiers and addresses; a log is read by everybody who may read the repository',
  next: 'write the body to a file and print chosen fields of it, or use fleet, which masks and bounds them',
  check({ deploys }, report) {
    for (const deploy of deploys.filter(({ kind }) => kind === 'call')) {
      for (const { place, text } of printed(deploy)) report(place, text);
    }
  },
};

function printed(deploy: Deploy): Hit[] {
  const { step, command, index, place } = deploy;
  const { run, source } = step;
  if (!command || !run) return [];
  const before = command.text.slice(0, index);
  const own = restOfList(command.text, index);
  const isCurl = own.startsWith('curl');
  const hits: Hit[] = [];
  if (
    isCurl &&
    /\s(?:-[A-Za-z]*v[A-Za-z]*|--verbose|--trace(?:-ascii)?)(?=\s|$)/.test(
      own.replace(/"[^"]*"|'[^']*'/g, '_'),
    )
  )
    hits.push({ place, text: '`curl -v` prints the header with the token' });

  const opened = Math.max(before.lastIndexOf('$('), before.lastIndexOf('`'));
  const captured = opened >= 0 && !before.includes(')', opened);
  const assigned = before.slice(Math.max(0, opened - 100), Math.max(0, opened));
  const variable = captured ? /(?<!\w)([A-Za-z_]\w*)=["']?$/.exec(assigned)?.[1] : undefined;
  const file = (
    isCurl
      ? /\s(?:-[A-Za-z]*o|--output)[=\s]*("[^"]+"|'[^']+'|[^\s;|&)]+)/
      : /\s(?:-[A-Za-z]*O|--output-document)[=\s]*("[^"]+"|'[^']+'|[^\s;|&)]+)/
  ).exec(own)?.[1];
  const redirected = /(?:^|[^\d&<>=-])>{1,2}\s*("[^"]+"|'[^']+'|[^\s&;|)>]+)/.exec(own)?.[1];
  const pipe = /(?<!\|)\|(?!\|)\s*([^|;&)]*)/.exec(own)?.[1]?.trim();
  const toStdout = file === '-' || (file === undefined && isCurl);
  if (toStdout && !captured && redirected === undefined && (pipe === undefined || showsAll(pipe)))
    hits.push({ place, text: 'the answer of the control plane goes to the log as it is' });

  // With a body file only what `-w` writes is captured.
  const kept = file === undefined || file === '-';
  const names = { variable: kept ? variable : undefined, file: kept ? redirected : file };
  for (const one of run.commands.slice(run.commands.indexOf(command))) {
    const from = one === command ? index : 0;
    const at = shownAt(one.text.slice(from), names);
    if (at === undefined) continue;
    hits.push({
      place: placeIn(source, run.node, one.origin(from + at)),
      text: 'this prints the answer of the control plane as it is',
    });
  }
  return hits;
}

const showsAll = (pipe: string) =>
  /^(?:tee|cat|more|less|sed -n p)\b/.test(pipe) || /^jq(?:\s+-\w+)*(?:\s+["']?\.["']?)?$/.test(pipe);

/** Where a command line prints a variable or file whole, or the error texts in it. */
function shownAt(written: string, names: { variable?: string; file?: string }): number | undefined {
  // To the other stream is to the log too.
  const text = written.replace(/\d?>\s*(?:&\d|\/dev\/std\w+)/g, (to) => ' '.repeat(to.length));
  const verbs =
    /(?:^|[\s;&|({!])(echo|printf|cat|head|tail|jq)\s((?:'[^']*'|"[^"]*"|[^;&|'")])*)(?:\|(?!\|)([^|;&]*))?/g;
  for (const match of text.matchAll(verbs)) {
    const [whole, verb = '', args = '', pipe] = match;
    const at = match.index + whole.indexOf(verb);
    const captured = /(?:\$\(|`)\s*$/.test(text.slice(0, at)) && !/^\s*(?:echo|printf)\s/.test(text);
    if (captured || (pipe !== undefined && !showsAll(pipe.trim()))) continue;
    if (/>/.test(args.replace(/'[^']*'|"[^"]*"/g, ''))) continue;
    if (shows(verb, args, names)) return at;
  }
  return undefined;
}

function shows(
  verb: string,
  args: string,
  { variable, file }: { variable?: string; file?: string },
): boolean {
  const unquoted = (word: string) => word.replace(/["']/g, '');
  const own = file === undefined || unquoted(file) === '/dev/null' ? undefined : unquoted(file);
  if (verb === 'echo' || verb === 'printf') {
    const read =
      own !== undefined && ['$(cat ', '$(<', '$(< '].some((by) => unquoted(args).includes(by + own));
    return read || (variable !== undefined && new RegExp(`\\$\\{?${variable}\\b`).test(args));
  }
  const words = args.trim().match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  if (own === undefined || !words.some((word) => unquoted(word) === own)) return false;
  if (verb !== 'jq') return true;
  const rest = words.filter((word) => unquoted(word) !== own);
  return showsAll(`jq ${rest.join(' ')}`.trim()) || rest.some((word) => /\.error\b/.test(word));
}

export const shellTrace: Rule = {
  id: 'shell-trace',
  severity: 'error',
  shape: '`set -x` in a script that handles the control plane token',
  why: 'every command is printed with its variables filled in; runners before 3.0.0 do not mask encoded forms, before 1.0.7 not even several lines',
  next: 'leave it out, or turn it off with `set +x` before the token is used',
  check({ steps, deploysIn }, report) {
    for (const step of steps) {
      const deploys = deploysIn(step);
      if (deploys.some((deploy) => deploy.kind === 'call' || namesToken(step))) {
        const hit = traced(step, deploys);
        if (hit) report(hit, 'from here on every command is printed, with the token in it');
      }
    }
  },
};

const namesToken = ({ run }: Step) => /TOKEN=|\$\{?\w*(?:TOKEN|SECRET)/.test(run?.text ?? '');

function traced({ run, source, entries }: Step, deploys: Deploy[]): Place | undefined {
  if (!run) return undefined;
  const shell = valueAt(entries, 'shell');
  if (shell && /\s-\w*x/.test(textOf(source, shell) ?? '')) return source.place(shell);
  let on: Place | undefined;
  for (const command of run.commands) {
    const at = /(?:^|[;&]\s*)set\s+(?:-\w+\s+)*(?:-\w*x\w*|-o\s+xtrace)(?=\s|;|$)/.exec(command.text);
    if (at) on = placeIn(source, run.node, command.origin(at.index));
    else if (/(?:^|[;&]\s*)set\s+(?:\+\w*x|\+o\s+xtrace)/.test(command.text)) on = undefined;
    if (on && deploys.some((deploy) => deploy.command === command)) return on;
  }
  return undefined;
}

export const tokenArgument: Rule = {
  id: 'token-argument',
  severity: 'error',
  shape: 'a token on a command line, or a `secrets.` expression in the script of a deploy',
  why: 'command lines are seen by every process of the machine, and a script with the secret in it is written to disk; quoting is at the mercy of its characters',
  next: 'put the secret into `env:` (FLEET_CP_TOKEN) or give --token-file; curl reads a header from a file by `-H @file`',
  check({ steps, deploysIn }, report) {
    for (const step of steps) {
      const { run, source } = step;
      const deploys = deploysIn(step);
      if (!run || !deploys.length) continue;
      for (const { command, kind, index } of deploys) {
        const own = command ? restOfList(command.text, index) : '';
        const pattern =
          kind === 'command'
            ? /\s--(?:cp-|control-plane-|gitea-)?token(?=[=\s]|$)/
            : /\s(?:-H|--header)[=\s]*["']?(?:Authorization|[\w-]*token)\s*:|\s--oauth2-bearer\b/i;
        const match = pattern.exec(own);
        if (match && command) {
          const at = command.origin(index + match.index + 1);
          report(placeIn(source, run.node, at), 'the token is on the command line');
        }
      }
      for (const { expression, place } of expressionsBelow(source, run.node)) {
        if (referencesIn(expression).some(([context]) => context?.toLowerCase() === 'secrets'))
          report(place, 'the secret is written into the script');
      }
    }
  },
};

const FOREIGN = /^(?:inputs\.|github\.event\.(?!inputs$)|github\.(?:head_ref|ref_name|base_ref)$)/i;

export const expressionInScript: Rule = {
  id: 'expression-in-script',
  severity: 'warning',
  shape: 'an input, a branch name or a field of the event as an expression in the script of a deploy',
  why: 'it is put into the script before the shell reads it: a branch called `x$(...)` runs as a command, beside the token',
  next: 'hand it over by `env:` and use the variable in quotes',
  check({ steps, deploysIn }, report) {
    for (const step of steps) {
      const { run, source } = step;
      if (!run || !deploysIn(step).length) continue;
      for (const { expression, place } of expressionsBelow(source, run.node)) {
        const path = referencesIn(expression).find((one) => FOREIGN.test(one.join('.')));
        if (path) report(place, `\`${path.join('.')}\` becomes a part of the script`);
      }
    }
  },
};

export const secretsInComposite: Rule = {
  id: 'secrets-in-composite',
  severity: 'error',
  shape: '`secrets.` in a composite action',
  why: 'the context is empty inside an action: the value is an empty text, and nothing says so',
  next: 'declare an input, and let the workflow pass the secret to it by `with:`',
  check({ actions }, report) {
    for (const { source } of actions) {
      for (const { expression, place } of expressionsBelow(source, source.root)) {
        if (referencesIn(expression).some(([context]) => context?.toLowerCase() === 'secrets'))
          report(place, '`secrets` is empty inside an action');
      }
    }
  },
};
