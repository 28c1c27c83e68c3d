/** Files that the server drops unsaid. */
import { isAlias, isMap, isScalar, type Node, visit } from 'yaml';
import { GITEA_AND_FORGEJO, namesOf, passedBy } from '../repository/servers.js';
import { valueAt, type Workflow } from '../repository/workflow.js';
import type { Report, Rule } from '../rule.js';
import { entriesOf, entryOf, itemsOf, type Source, textOf } from '../syntax/source.js';

export const invalidYaml: Rule = {
  id: 'invalid-yaml',
  severity: 'error',
  shape: 'a file that is not YAML',
  why: 'Gitea before 1.26 drops such a workflow without a word: no run, no error, nothing in the interface',
  next: 'mend the syntax at this place',
  check({ sources }, report) {
    for (const { problems } of sources) {
      const [first] = problems;
      if (first) report(first.place, first.message);
    }
  },
};

export const furtherDocument: Rule = {
  id: 'further-document',
  severity: 'error',
  elsewhere: 'warning',
  shape: 'a second YAML document in a file, behind `---`',
  why: 'servers read the first one and drop the rest without a word',
  next: 'put it into a file of its own',
  check({ sources }, report) {
    for (const { place, further } of sources) {
      if (further) report(place(further), 'what stands behind `---` is never read');
    }
  },
};

export const linkedFile: Rule = {
  id: 'linked-file',
  severity: 'error',
  shape: 'a workflow, an action or a folder of them that is a symbolic link',
  why: 'git stores where the link points to, not what stands there: the server reads no workflow from it, and says nothing',
  next: 'put the file itself in this place',
  check({ sources }, report) {
    for (const { link, place, path } of sources) {
      if (link) report(place(0), `\`${path}\` is a symbolic link, which servers do not follow`);
    }
  },
};

export const duplicateKey: Rule = {
  id: 'duplicate-key',
  severity: 'error',
  shape: 'one key twice in a mapping',
  why: 'the parser of Gitea refuses the whole file, so the workflow never runs; most other tools keep the last value and show green',
  next: 'keep one of the two',
  check({ sources }, report) {
    for (const source of sources) {
      visit(source.document, {
        Map(_key, map) {
          const seen = new Map<string, Node>();
          for (const { key } of map.items) {
            if (!isScalar(key) || isAlias(key)) continue;
            const name = String(key.value);
            const first = seen.get(name);
            if (first && name !== '<<') {
              report(
                source.place(key),
                `\`${name}\` stands here and in line ${source.place(first).line} already`,
              );
            } else seen.set(name, key);
          }
        },
      });
    }
  },
};

export const incompleteWorkflow: Rule = {
  id: 'incomplete-workflow',
  severity: 'error',
  shape:
    'no `on`, no `jobs`, a job without steps, a step that is neither `uses` nor `run`, a need that does not exist',
  why: 'the server drops the file, or leaves the job blocked for ever',
  next: 'add what is missing',
  check({ sources, workflows, actions }, report) {
    for (const workflow of workflows) {
      const { source, entries } = workflow;
      if (source.problems.length) continue;
      if (!source.root) {
        report(source.place(0), 'there is nothing but comments: this workflow is switched off', 'warning');
        continue;
      }
      if (!isMap(source.root)) {
        report(source.place(source.root), 'this is no workflow: it has no keys');
        continue;
      }
      if (!workflow.triggers.length) report(source.place(entries[0]?.keyNode), '`on` is missing or empty');
      if (!workflow.jobs.length) report(source.place(entries[0]?.keyNode), '`jobs` is missing or empty');
      for (const job of workflow.jobs) {
        if (!job.uses && !job.steps.length)
          report(source.place(job.keyNode), `job \`${job.id}\` has no steps`);
        if (!job.uses && job.steps.length && !valueAt(job.entries, 'runs-on'))
          report(source.place(job.keyNode), `job \`${job.id}\` has no \`runs-on\``);
        for (const { id, node } of job.needs) {
          const unknown = !workflow.jobs.some((other) => other.id === id);
          if (unknown) report(source.place(node), `job \`${job.id}\` needs \`${id}\`, which does not exist`);
          if (id === job.id) report(source.place(node), `job \`${job.id}\` needs itself`);
        }
        checkSteps(source, valueAt(job.entries, 'steps'), report);
      }
    }
    for (const { source, entries } of actions) {
      const kinds = sources.some((one) => one === source && one.problems.length);
      if (kinds) continue;
      const runs = entryOf(source, source.root, 'runs');
      if (!runs) report(source.place(entries[0]?.keyNode), '`runs` is missing');
      else checkSteps(source, valueAt(entriesOf(source, runs.value), 'steps'), report);
    }
  },
};

function checkSteps(source: Source, list: unknown, report: Report): void {
  for (const node of itemsOf(source, list)) {
    const kinds = ['uses', 'run'].filter(
      (key) => textOf(source, entryOf(source, node, key)?.value) !== undefined,
    );
    if (kinds.length === 1) continue;
    report(
      source.place(node),
      kinds.length ? 'a step has both `uses` and `run`' : 'a step has neither `uses` nor `run`',
    );
  }
}

const nameOf = ({ source, entries }: Workflow) => textOf(source, valueAt(entries, 'name'));

export const duplicateWorkflowName: Rule = {
  id: 'duplicate-workflow-name',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: 'two workflows of one name',
  why: 'commit statuses are named after the workflow: a green run of the one hides a red run of the other, also from --require-context',
  next: 'give each workflow a name of its own',
  check({ workflows, readersOf }, report) {
    for (const [at, workflow] of workflows.entries()) {
      const name = nameOf(workflow);
      const readers = readersOf(workflow.source.path);
      const first = workflows.slice(0, at).find((other) => {
        const both = readersOf(other.source.path).some((one) => readers.includes(one));
        return name !== undefined && nameOf(other) === name && both;
      });
      if (first) {
        const place = workflow.source.place(valueAt(workflow.entries, 'name'));
        report(place, `${first.source.path} is called \`${name}\` too`);
      }
    }
  },
};

export const shadowedWorkflow: Rule = {
  id: 'shadowed-workflow',
  severity: 'warning',
  shape:
    'a deploy in a folder that the server does not look into, such as `.github/workflows` beside `.gitea/workflows`',
  why: 'each server reads one folder: Forgejo `.forgejo/workflows`, else as Gitea; Gitea `.gitea/workflows`, else as GitHub; GitHub the files of `.github/workflows` without sub-folders. What stands in another never runs',
  next: 'move the workflow to the folder of the server, or ignore this where another one runs it',
  check({ workflows, unread, servers, readersOf, rolls }, report) {
    for (const { source, jobs } of [...workflows, ...unread]) {
      const job = jobs.find(rolls);
      const readers = readersOf(source.path);
      const others = readers.length ? passedBy(source.path, servers, readers) : servers;
      if (job && others.length)
        report(
          source.place(job.keyNode),
          `job \`${job.id}\` deploys, and ${namesOf(others)} never reads this file`,
        );
    }
    const [first] = unread;
    if (first && !workflows.length && !unread.some(({ jobs }) => jobs.some(rolls)))
      report(first.source.place(0), `${namesOf(servers)} reads no workflow of this repository`);
  },
};
