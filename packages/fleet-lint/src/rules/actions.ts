/** Steps that use an action. */

import { compositeSettings, settingsFor } from '@tenant-fleet/fleet-core/config';
import leven from 'leven';
import { type Deploy, isComposite, isFleetAction } from '../repository/deploys.js';
import { GITEA_AND_FORGEJO } from '../repository/servers.js';
import { type Action, isCheckout, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { entriesOf, entryOf, textOf } from '../syntax/source.js';

/** The deploys by an action of another repository, as they are written and known before the run. */
const fetched = (deploys: readonly Deploy[]) =>
  deploys.flatMap(({ step, place, kind }) => {
    const text = step.uses?.text ?? '';
    return kind !== 'action' || text.startsWith('./') || text.includes('${{') ? [] : [{ text, place }];
  });

export const movingRef: Rule = {
  id: 'moving-ref',
  severity: 'warning',
  shape: 'the deploy action at a branch or a moving tag (`@main`, `@v1`); no ref, a short SHA',
  why: 'runners before 0.5.0 keep a stale copy once a ref was moved, so two runners deploy with two versions; without a ref or with a short SHA the step fails',
  next: 'pin a full release tag (`@v1.2.3`) or a commit of 40 digits',
  check({ deploys }, report) {
    for (const { text, place } of fetched(deploys)) {
      const ref = /@([^@]*)$/.exec(text)?.[1];
      if (!ref) report(place, `\`${text}\` names no ref`, 'error');
      else if (/^[0-9a-f]{7,39}$/.test(ref))
        report(place, `\`${ref}\` is a short SHA, which runners refuse`, 'error');
      else if (!/^(?:[0-9a-f]{40}|v?\d+\.\d+\.\d+.*)$/.test(ref)) report(place, `\`${ref}\` may move`);
    }
  },
};

export const hostlessAction: Rule = {
  id: 'hostless-action',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: 'the deploy action as `owner/repo/path@ref`, without a host',
  why: 'Gitea looks for it on github.com unless the server is set to DEFAULT_ACTIONS_URL = self: the step fails, or runs what somebody else put there',
  next: 'write its whole address: `https://git.example.com/owner/repo/path@ref`',
  check({ deploys }, report) {
    for (const { text, place } of fetched(deploys)) {
      if (/^[\w.-]+\//.test(text)) report(place, `\`${text}\` is looked for on github.com`);
    }
  },
};

export const hostedAction: Rule = {
  id: 'hosted-action',
  severity: 'error',
  servers: ['github'],
  shape: 'an action with its host (`uses: https://...`) in a workflow that only GitHub reads',
  why: 'GitHub takes `owner/repo/path@ref` alone: it refuses the whole file',
  next: 'write it as `owner/repo/path@ref` of a repository on GitHub, or check the repository out and use `./path`',
  check({ workflows, readersOf }, report) {
    for (const { source, jobs } of workflows) {
      // Where another server may read the file as well, the host is what that one needs.
      if (readersOf(source.path).some((server) => server !== 'github')) continue;
      for (const { uses } of jobs.flatMap((job) => [job, ...job.steps]))
        if (uses && /^https?:/.test(uses.text)) report(source.place(uses.node), 'GitHub knows no hosts here');
    }
  },
};

export const checkoutMissing: Rule = {
  id: 'checkout-missing',
  severity: 'error',
  shape: '`uses: ./path` in a job without a checkout before it',
  why: 'the action is read from the work folder, which is empty: the step fails before it does anything',
  next: 'put actions/checkout before it',
  check({ workflows }, report) {
    for (const { source, jobs } of workflows) {
      for (const step of jobs.flatMap((job) => job.steps)) {
        if (!step.uses?.text.startsWith('./')) continue;
        if (!step.before.some(isCheckout))
          report(source.place(step.uses.node), `nothing has checked out \`${step.uses.text}\``);
      }
    }
  },
};

const OWN = [...settingsFor('redeploy').map(({ name }) => name), 'verbose'];

function inputsOfOurs(uses: string): string[] | undefined {
  if (isComposite(uses)) return [...compositeSettings().map(({ name }) => name), 'verbose'];
  return isFleetAction(uses) ? OWN : undefined;
}

export const unknownInput: Rule = {
  id: 'unknown-input',
  severity: 'error',
  elsewhere: 'warning',
  shape: 'an input that the fleet action, or a local action, does not have',
  why: 'runners pass it on without a word: a local action never reads it, and fleet refuses to run',
  next: 'use a name from action.yml',
  check({ steps, actions }, report) {
    const inputsOf = ({ source, entries }: Action) =>
      entriesOf(source, valueAt(entries, 'inputs')).map(({ key }) => key);
    for (const { source, uses, with: given } of steps) {
      if (!uses) continue;
      const folder = /^\.\/(.+?)\/?$/.exec(uses.text)?.[1];
      const local = actions.find((one) => one.source.path.replace(/\/action\.ya?ml$/, '') === folder);
      const known = local ? inputsOf(local) : inputsOfOurs(uses.text);
      if (!known || local?.source.problems.length) continue;
      for (const { key, keyNode } of given) {
        if (known.some((name) => same(name) === same(key))) continue;
        const [near = ''] = [...known].sort((a, b) => leven(a, same(key)) - leven(b, same(key)));
        const hint = leven(near, same(key)) <= 3 ? `; did you mean ${near}` : '';
        report(source.place(keyNode), `there is no input \`${key}\`${hint}`);
      }
    }
  },
};

export const leakingInput: Rule = {
  id: 'leaking-input',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape:
    'a composite action that uses the fleet action and has inputs of its own which it does not hand on by `with`',
  why: 'act_runner hands the inputs of the surrounding action on to those inside: one with the name of a setting changes the deploy, another one is an unknown input',
  next: 'hand it on by `with`, or give it another name that no setting has; for the unknown ones nothing has to be done',
  check({ actions, deploysIn }, report) {
    for (const { source, entries, steps } of actions) {
      const inputs = entriesOf(source, valueAt(entries, 'inputs'));
      for (const step of steps) {
        if (!step.uses || !isFleetAction(step.uses.text) || !deploysIn(step).length) continue;
        for (const { key, keyNode } of inputs) {
          if (step.with.some((given) => same(given.key) === same(key))) continue;
          const known = OWN.some((name) => name === same(key));
          const what = known ? 'sets it' : 'takes it for an input that it does not know';
          report(source.place(keyNode), `\`${key}\` reaches the fleet action inside, which ${what}`);
        }
      }
    }
  },
};

const same = (name: string) => name.toLowerCase().replaceAll('_', '-');

export const actionRuntime: Rule = {
  id: 'action-runtime',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: 'a local action with `using: node24`, another Node that runners do not know, or a `pre` step',
  why: 'node24 needs runner 0.2.13, other numbers than 12, 16, 20 and 24 are rejected, and `pre` never runs for an action of the repository itself',
  next: 'use node20, which every runner takes, and do the work in `main`',
  check({ actions }, report) {
    for (const { source } of actions) {
      const runs = entryOf(source, source.root, 'runs')?.value;
      const using = entryOf(source, runs, 'using');
      const node = /^node(\d+)$/i.exec(textOf(source, using?.value) ?? '')?.[1];
      if (node === undefined) continue;
      if (node === '24') report(source.place(using?.value), 'runners before 0.2.13 do not know node24');
      else if (!['12', '16', '20'].includes(node))
        report(source.place(using?.value), `no runner knows node${node}`, 'error');
      const pre = entryOf(source, runs, 'pre');
      if (pre && source.path.startsWith('.gitea/actions/'))
        report(source.place(pre.keyNode), '`pre` never runs here');
    }
  },
};
