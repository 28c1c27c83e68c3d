/** Client of the issues of a Gitea repository. */
import * as z from 'zod';
import { ask, askPages, type GiteaOptions, type Read } from './request.js';

const number = z.number().int().positive();
const labelSchema = z.looseObject({ id: number, name: z.string() });
export type Label = z.infer<typeof labelSchema>;
const issueSchema = z.looseObject({
  number,
  title: z.string(),
  body: z.string().nullish(),
  state: z.string(),
  labels: z.array(labelSchema).nullish(),
  /** Present for pull requests, which Gitea lists among issues. */
  pull_request: z.unknown().optional(),
});
export type Issue = z.infer<typeof issueSchema>;
const repositorySchema = z.looseObject({ has_issues: z.boolean().nullish() });
const commentSchema = z.looseObject({ id: number });

/** More open issues than fit on these pages are not looked through. */
const MAX_PAGES = 40;

export interface IssueText {
  title: string;
  body: string;
}

export class GiteaIssues {
  constructor(private readonly options: GiteaOptions) {}

  /**
   * Open issues, pull requests left out, each once, the oldest first. All of them: the server's filter by label lets
   * everything through where it does not know the label.
   */
  async open(): Promise<Read<Issue[]>> {
    // Without `q=`: the search index lags behind, the database does not.
    const read = await askPages(this.options, '/issues?state=open&type=issues', issueSchema, {
      maxPages: MAX_PAGES,
      what: 'open issues',
    });
    if (read.kind !== 'read') return read;
    const issues = read.value.filter((issue) => !issue.pull_request && issue.state === 'open');
    const once = new Map(issues.map((issue) => [issue.number, issue]));
    return { kind: 'read', value: [...once.values()].sort((a, b) => a.number - b.number) };
  }

  /** Never sent twice: where its answer is lost (`unknown`), look whether it is there. @param labels Ids. */
  async create(text: IssueText, labels: number[]): Promise<Read<Issue>> {
    return ask(this.options, { method: 'POST', path: '/issues', body: { ...text, labels } }, issueSchema);
  }

  /** Whether the repository has no issues at all, as far as that can be read. */
  async areSwitchedOff(): Promise<boolean> {
    const read = await ask(this.options, { method: 'GET', path: '' }, repositorySchema);
    return read.kind === 'read' && read.value.has_issues === false;
  }

  async edit(issue: number, change: Partial<IssueText> & { state?: 'closed' }): Promise<Read<Issue>> {
    return ask(this.options, { method: 'PATCH', path: `/issues/${issue}`, body: change }, issueSchema);
  }

  /** Never sent twice: a lost comment is a smaller nuisance than one that stands there three times. */
  async comment(issue: number, body: string): Promise<Read<{ id: number }>> {
    return ask(
      this.options,
      { method: 'POST', path: `/issues/${issue}/comments`, body: { body } },
      commentSchema,
    );
  }

  async labels(): Promise<Read<Label[]>> {
    return askPages(this.options, '/labels', labelSchema, { maxPages: MAX_PAGES, what: 'labels' });
  }

  /** @param color Six hex digits after `#`. */
  async createLabel(label: { name: string; color: string; description: string }): Promise<Read<Label>> {
    return ask(this.options, { method: 'POST', path: '/labels', body: label }, labelSchema);
  }

  /** Adds a label to an issue; again is the same. */
  async addLabel(issue: number, label: number): Promise<Read<Label[]>> {
    const path = `/issues/${issue}/labels`;
    return ask(
      this.options,
      { method: 'POST', path, body: { labels: [label] }, repeatable: true },
      z.array(labelSchema),
    );
  }
}
