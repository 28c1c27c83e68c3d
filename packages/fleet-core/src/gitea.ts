/** Client of the small part of Gitea's API that the gates read. */
import { z } from 'zod';
import { shaSchema } from './contract.js';
import { type Http, HttpFailure } from './http.js';

export interface GiteaOptions {
  /** Base URL of the server, a path included where it runs under one. */
  url: string;
  token: string | null;
  /** `owner/name`. */
  repository: string;
  http: Http;
  signal: AbortSignal;
}

/** A definite answer, or why there is none: callers decide what an unreadable gate means. */
export type Read<T> =
  | { kind: 'read'; value: T }
  /** 404: there is no such thing, or the token may not see it. */
  | { kind: 'absent' }
  /** 403 of the server itself: the token lacks the right. */
  | { kind: 'forbidden' }
  | { kind: 'unreadable'; why: string };

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** The server clamps larger pages to this without a word. */
const PAGE_SIZE = 50;
/** A commit with more statuses than this is not worth waiting for. */
const MAX_PAGES = 200;

const variableSchema = z.union([
  z.looseObject({ data: z.string() }).transform(({ data }) => data),
  z.looseObject({ value: z.string() }).transform(({ value }) => value),
]);
const branchSchema = z.looseObject({
  commit: z.looseObject({ id: shaSchema.optional(), sha: shaSchema.optional() }),
});
const compareSchema = z.looseObject({ total_commits: z.number().int().min(0) });
/** Gitea carries the state in `status`, some versions in `state`. */
const statusSchema = z.looseObject({
  id: z.number(),
  context: z.string().nullish(),
  status: z.string().nullish(),
  state: z.string().nullish(),
  description: z.string().nullish(),
});
/** How Gitea words a refusal; the pages and problem documents of proxies have other fields. */
const refusalSchema = z.looseObject({ message: z.string() });
export type CommitStatus = z.infer<typeof statusSchema>;

/** True for `owner/name`. */
export function isRepository(text: string | undefined): text is string {
  return /^[\w.-]*\w[\w.-]*\/[\w.-]*\w[\w.-]*$/.test(text ?? '');
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
    const read = await this.#get(`/compare/${base}...${head}`, compareSchema);
    return read.kind === 'read' ? { kind: 'read', value: read.value.total_commits } : read;
  }

  /** The newest status of each context of a commit. Pages until an empty page: the server's page size is its own. */
  async statuses(sha: string): Promise<Read<Map<string, CommitStatus>>> {
    const newest = new Map<string, CommitStatus>();
    for (let page = 1; page <= MAX_PAGES; page++) {
      const read = await this.#get(
        `/commits/${sha}/statuses?page=${page}&limit=${PAGE_SIZE}`,
        z.array(statusSchema).nullable(),
      );
      if (read.kind !== 'read') return read;
      if (!read.value?.length) return { kind: 'read', value: newest };
      for (const status of read.value) {
        const context = status.context ?? '';
        // The server's sort is not stable: the highest id is the newest, wherever it stands.
        if ((newest.get(context)?.id ?? -1) < status.id) newest.set(context, status);
      }
    }
    return { kind: 'unreadable', why: `more than ${MAX_PAGES} pages of statuses` };
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<Read<z.output<Schema>>> {
    const { url, token, repository, http, signal } = this.options;
    try {
      const answer = await http({
        method: 'GET',
        url: `${url}/api/v1/repos/${repository}${path}`,
        headers: token ? { authorization: `token ${token}` } : {},
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
        signal,
      });
      const json = parse(answer.body);
      if (answer.status === 200) {
        const parsed = schema.safeParse(json);
        return parsed.success
          ? { kind: 'read', value: parsed.data }
          : { kind: 'unreadable', why: 'an answer of another shape' };
      }
      if (answer.status === 404) return { kind: 'absent' };
      if (answer.status === 403) {
        // A proxy's refusal says nothing about rights: it must not open the fallback that a lack of rights opens.
        const own = refusalSchema.safeParse(json).success && !/error.?code\W*10\d\d/i.test(answer.body);
        return own
          ? { kind: 'forbidden' }
          : { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' };
      }
      return {
        kind: 'unreadable',
        why: answer.status === 401 ? 'Gitea does not accept GITEA_TOKEN (HTTP 401)' : `HTTP ${answer.status}`,
      };
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'aborted') throw signal.reason;
      return { kind: 'unreadable', why: error.message };
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
