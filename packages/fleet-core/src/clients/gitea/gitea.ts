/** Client of the part of Gitea's API that gates read and that shows on commits. */
import * as z from 'zod';
import { shaSchema } from '../../contract.js';
import { ask, askPages, type GiteaOptions, type Read } from './request.js';

export type { GiteaOptions, Read } from './request.js';

/** A commit with more statuses than this is not worth waiting for. */
const MAX_PAGES = 200;

const variableSchema = z.union([
  z.looseObject({ data: z.string() }).transform(({ data }) => data),
  z.looseObject({ value: z.string() }).transform(({ value }) => value),
]);
const taskSchema = z.looseObject({
  id: z.number(),
  name: z.string().nullish(),
  status: z.string().nullish(),
  event: z.string().nullish(),
  head_sha: z.string().nullish(),
  run_number: z.number().nullish(),
});
/** One job of Actions as a runner took it. */
export type ActionTask = z.infer<typeof taskSchema>;
const tasksSchema = z.looseObject({ workflow_runs: z.array(taskSchema).nullish() });
const branchSchema = z.looseObject({
  commit: z.looseObject({ id: shaSchema.optional(), sha: shaSchema.optional() }),
});
const distanceSchema = z.looseObject({ total_commits: z.number().int().min(0) });
const commitSchema = z.looseObject({
  sha: shaSchema,
  parents: z.array(z.looseObject({ sha: shaSchema })).nullish(),
  created: z.string().nullish(),
});
/** Gitea carries the state in `status`, some versions in `state`. */
const statusSchema = z.looseObject({
  id: z.number(),
  context: z.string().nullish(),
  status: z.string().nullish(),
  state: z.string().nullish(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
  created_at: z.string().nullish(),
});
export type CommitStatus = z.infer<typeof statusSchema>;

/** What may be written on a commit; later versions know `skipped` too. */
export type CommitState = 'pending' | 'success' | 'error' | 'failure' | 'warning';

export interface NewStatus {
  context: string;
  state: CommitState;
  description: string;
  target_url?: string;
}

/** Newer servers leave `permissions` out for a token that may not see them. */
const repositorySchema = z.looseObject({
  has_issues: z.boolean().nullish(),
  permissions: z.looseObject({ push: z.boolean().nullish() }).nullish(),
});

export class Gitea {
  constructor(private readonly options: GiteaOptions) {}

  /** The repository itself: whether it has issues, and what the user of the token may do in it. */
  async repository(): Promise<Read<z.output<typeof repositorySchema>>> {
    return this.#get('', repositorySchema);
  }

  /**
   * A variable of the repository, else of the organisation that owns it; `absent` where neither has it.
   *
   * A repository that the token may not see answers as one without the variable does, so it is read itself first.
   */
  async variable(name: string): Promise<Read<string>> {
    const path = `/actions/variables/${encodeURIComponent(name)}`;
    const own = await this.#get(path, variableSchema);
    if (own.kind !== 'absent') return own;
    const repository = await this.#get('', z.looseObject({}));
    if (repository.kind === 'absent') {
      const why = `the repository ${this.options.repository} is not there, or the token may not see it (HTTP 404)`;
      return { kind: 'unreadable', why };
    }
    if (repository.kind !== 'read') return repository;
    // An owner that is no organisation is not found there, as an organisation without the variable is.
    const [owner = ''] = this.options.repository.split('/');
    const request = { method: 'GET', path: `/orgs/${encodeURIComponent(owner)}${path}`, root: true } as const;
    return ask(this.options, request, variableSchema);
  }

  /** The newest jobs of Actions in the repository, as many as fit on a page. Servers from 1.22 on keep them. */
  async recentTasks(): Promise<Read<ActionTask[]>> {
    const read = await this.#get('/actions/tasks?page=1&limit=50', tasksSchema);
    return read.kind === 'read' ? { kind: 'read', value: read.value.workflow_runs ?? [] } : read;
  }

  /** The commit at the head of a branch. */
  async branchHead(branch: string): Promise<Read<string>> {
    const read = await this.#get(`/branches/${encodeURIComponent(branch)}`, branchSchema);
    if (read.kind !== 'read') return read;
    const sha = read.value.commit.id ?? read.value.commit.sha;
    return sha ? { kind: 'read', value: sha } : { kind: 'unreadable', why: 'the branch has no commit id' };
  }

  /** How many commits `head` has that `base` lacks. */
  async commitsBetween(base: string, head: string): Promise<Read<number>> {
    const read = await this.#get(`/compare/${base}...${head}`, distanceSchema);
    return read.kind === 'read' ? { kind: 'read', value: read.value.total_commits } : read;
  }

  /** A page of the commits before `sha`, itself included, each with its first parent; a page may be empty. */
  async history(sha: string, page: number): Promise<Read<Map<string, string | undefined>>> {
    const read = await this.#commits(sha, page);
    if (read.kind !== 'read') return read;
    return { kind: 'read', value: new Map(read.value.map(({ sha, parents }) => [sha, parents?.[0]?.sha])) };
  }

  /** The newest commits up to `sha` by first parents, itself first, as far as they fit on a page. */
  async line(sha: string): Promise<Read<{ sha: string; at: string | null }[]>> {
    const read = await this.#commits(sha, 1);
    if (read.kind !== 'read') return read;
    const commits = new Map(read.value.map((commit) => [commit.sha, commit]));
    const line: { sha: string; at: string | null }[] = [];
    for (let at = commits.get(sha); at; at = commits.get(at.parents?.[0]?.sha ?? ''))
      line.push({ sha: at.sha, at: at.created ?? null });
    return { kind: 'read', value: line };
  }

  /** The newest status of each context of a commit. */
  async statuses(sha: string): Promise<Read<Map<string, CommitStatus>>> {
    const read = await askPages(this.options, `/commits/${sha}/statuses`, statusSchema, {
      maxPages: MAX_PAGES,
      what: 'statuses',
    });
    if (read.kind !== 'read') return read;
    const newest = new Map<string, CommitStatus>();
    for (const status of read.value) {
      const context = status.context ?? '';
      // The server's sort is not stable: the highest id is the newest, wherever it stands.
      if ((newest.get(context)?.id ?? -1) < status.id) newest.set(context, status);
    }
    return { kind: 'read', value: newest };
  }

  /** Writes a status on a commit. Each call adds a row, and the newest of a context counts: sent twice, it says the same. */
  async setStatus(sha: string, status: NewStatus): Promise<Read<CommitStatus>> {
    const request = { method: 'POST', path: `/statuses/${sha}`, body: status, repeatable: true } as const;
    return ask(this.options, request, statusSchema);
  }

  /** A page of the commits up to `sha`, newest first, without what nobody here reads of them. */
  #commits(sha: string, page: number) {
    const what = 'stat=false&verification=false&files=false';
    return this.#get(`/commits?sha=${sha}&${what}&page=${page}&limit=50`, z.array(commitSchema));
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<Read<z.output<Schema>>> {
    return ask(this.options, { method: 'GET', path }, schema);
  }
}
