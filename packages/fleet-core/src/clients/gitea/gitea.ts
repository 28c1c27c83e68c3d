/** Client of the part of Gitea's API that gates read and that shows on commits. */
import { z } from 'zod';
import { shaSchema } from '../../contract.js';
import { ask, askPages, type GiteaOptions, type Read } from './request.js';

export type { GiteaOptions, Read } from './request.js';

/** A commit with more statuses than this is not worth waiting for. */
const MAX_PAGES = 200;

const variableSchema = z.union([
  z.looseObject({ data: z.string() }).transform(({ data }) => data),
  z.looseObject({ value: z.string() }).transform(({ value }) => value),
]);
const branchSchema = z.looseObject({
  commit: z.looseObject({ id: shaSchema.optional(), sha: shaSchema.optional() }),
});
const distanceSchema = z.looseObject({ total_commits: z.number().int().min(0) });
const commitSchema = z.looseObject({
  sha: shaSchema,
  parents: z.array(z.looseObject({ sha: shaSchema })).nullish(),
});
const compareSchema = z.looseObject({ commits: z.array(commitSchema).nullish() });
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

export class Gitea {
  constructor(private readonly options: GiteaOptions) {}

  /** A repository variable; `absent` where it is not set. */
  async variable(name: string): Promise<Read<string>> {
    return this.#get(`/actions/variables/${encodeURIComponent(name)}`, variableSchema);
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

  /** The commits that `head` has and `base` lacks, each with its first parent, in no order to rely on. */
  async firstParents(base: string, head: string): Promise<Read<Map<string, string | undefined>>> {
    const read = await this.#get(`/compare/${base}...${head}`, compareSchema);
    if (read.kind !== 'read') return read;
    const parents = (read.value.commits ?? []).map(
      ({ sha, parents }) => [sha, parents?.[0]?.sha] as [string, string | undefined],
    );
    return { kind: 'read', value: new Map(parents) };
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

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<Read<z.output<Schema>>> {
    return ask(this.options, { method: 'GET', path }, schema);
  }
}
