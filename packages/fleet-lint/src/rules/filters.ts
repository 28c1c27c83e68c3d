/** Filters and schedules of triggers that nothing can match. */
import { isSeq, type Node } from 'yaml';
import { isWorkflowPath } from '../repository/servers.js';
import { type Trigger, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { cronProblem } from '../syntax/cron.js';
import { entriesOf, itemsOf, textOf } from '../syntax/source.js';

interface Filter {
  key: string;
  keyNode: Node;
  items: Node[];
  patterns: string[];
}

interface Hit {
  node: Node;
  problem: string;
}

const FILTERS = ['branches', 'tags', 'paths', 'branches-ignore', 'tags-ignore', 'paths-ignore'];

export const deadFilter: Rule = {
  id: 'dead-filter',
  severity: 'error',
  elsewhere: 'warning',
  shape: 'a branch, tag or path filter that nothing can match, or `tags-ignore` alone',
  why: 'filters are compared with short branch names before any expression is filled in, and a filter of tags alone leaves out every push to a branch: the event never starts this workflow',
  next: 'write the short name, for example `main`, and at least one positive pattern',
  check({ workflows, fileRolls }, report) {
    for (const { source, triggers } of workflows) {
      // A deploy that a pipeline file starts, its own or another, follows the pipeline and not the product.
      const isPipeline = (path: string) =>
        path === source.path || (fileRolls(source.path) && isWorkflowPath(path));
      for (const trigger of triggers) {
        const filters = trigger.below
          .filter(({ key }) => FILTERS.includes(key))
          .map(({ key, keyNode, value }): Filter => {
            const items = isSeq(value) ? (value.items as Node[]) : value ? [value] : [];
            return { key, keyNode, items, patterns: items.map((item) => textOf(source, item) ?? '') };
          });
        for (const { node, problem } of [...deadFilters(trigger, filters, isPipeline), ...mistaken(filters)])
          report(source.place(node), problem);
      }
    }
  },
};

/** Filters that let nothing through. An empty list counts as no filter, on every server. */
function deadFilters(
  { event }: Trigger,
  filters: readonly Filter[],
  isPipeline: (path: string) => boolean,
): Hit[] {
  const given = filters.filter(({ patterns }) => patterns.length);
  const has = (kind: string) => filters.some(({ key }) => key.startsWith(kind));
  // With filters of both kinds one of the two is enough.
  const either = event === 'push' && has('branches') && has('tags');
  const hits: Hit[] = [];
  for (const { key, keyNode, patterns } of given) {
    if (!key.startsWith('paths') && either) continue;
    // A push of a tag changes no path and passes every filter of paths.
    if (key === 'paths-ignore' && event === 'push' && has('tags')) continue;
    const problem = key.endsWith('-ignore') ? ignoresAll(key, patterns) : matchesNone(key, patterns);
    if (problem) hits.push({ node: keyNode, problem });
    const names = patterns.filter((pattern) => pattern && !pattern.startsWith('!'));
    if (event === 'push' && key === 'paths' && names.length && names.every(isPipeline))
      hits.push({
        node: keyNode,
        problem: 'only a change of the pipeline starts it, not one of the product',
      });
    if (event === 'push' && key === 'tags-ignore' && !has('branches') && !problem)
      hits.push({
        node: keyNode,
        problem: '`tags-ignore` alone: no push to a branch starts it, only other tags',
      });
  }
  return hits;
}

const isAll = (pattern: string) => /^(?:\*\*|\*\*\/\*|\*\*\/\*\*)$/.test(pattern);

/** Later patterns overrule earlier ones. */
function matchesNone(key: string, patterns: readonly string[]): string | undefined {
  const positive = patterns.findLastIndex((pattern) => pattern !== '' && !pattern.startsWith('!'));
  if (positive < 0) return `\`${key}\` has no positive pattern, so nothing matches it`;
  const all = patterns.findLastIndex((pattern) => pattern.startsWith('!') && isAll(pattern.slice(1)));
  return all > positive ? `\`${patterns[all]}\` takes back all that \`${key}\` has` : undefined;
}

function ignoresAll(key: string, patterns: readonly string[]): string | undefined {
  const all = patterns.findLastIndex(isAll);
  if (all < 0 || patterns.slice(all).some((pattern) => pattern.startsWith('!'))) return undefined;
  return `\`${key}: ${patterns[all]}\` leaves nothing`;
}

/** Patterns that mean something else than they say. */
function mistaken(filters: readonly Filter[]): Hit[] {
  return filters.flatMap(({ key, keyNode, items, patterns }) =>
    patterns.flatMap((pattern, at): Hit[] => {
      const node = items[at] ?? keyNode;
      if (pattern.includes('${{'))
        return [
          { node, problem: `\`${key}\` is compared as it is written: the expression is not filled in` },
        ];
      if (!key.startsWith('paths') && /^!?refs\/(?:heads|tags)\//.test(pattern))
        return [{ node, problem: `\`${pattern}\` is a full ref, and only the name behind it is compared` }];
      return [];
    }),
  );
}

export const deadSchedule: Rule = {
  id: 'dead-schedule',
  severity: 'error',
  elsewhere: 'warning',
  shape:
    'a `schedule` without `cron`, or with one that no server takes (`0 25 * * *`) or that no day meets (`0 0 31 2 *`)',
  why: 'the server takes no schedule from the file, and says nothing about it: nothing ever runs',
  next: 'write five fields: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6 (Sunday is 0)',
  check({ workflows }, report) {
    for (const { source, triggers } of workflows) {
      for (const { event, node, value } of triggers) {
        if (event !== 'schedule') continue;
        const crons = itemsOf(source, value).map((item) => valueAt(entriesOf(source, item), 'cron'));
        if (!crons.some((cron) => textOf(source, cron)))
          report(source.place(node), '`schedule` has no `cron`, so it never fires');
        for (const cron of crons) {
          const text = textOf(source, cron);
          const problem = text && cronProblem(text);
          if (problem) report(source.place(cron), `\`${text}\`: ${problem}`);
        }
      }
    }
  },
};
