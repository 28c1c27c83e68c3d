/** The part of a Gitea repository that fleet reads and writes, in memory, with the server's own habits. */

import type {
  FakeAnswer,
  FakeIssue,
  FakeLabel,
  FakeRequest,
  FakeStatus,
  FakeTask,
} from './fake-gitea-rows.js';

const DEFAULT_PAGE = 30;

export class FakeRepository {
  readonly variables = new Map<string, string>();
  /** Variables of the organisation that owns it. */
  readonly ownerVariables = new Map<string, string>();
  /** Jobs of Actions, in any order. */
  readonly tasks: FakeTask[] = [];
  /** Without them every address of issues is not found. */
  hasIssues = true;
  readonly branches = new Map<string, string>();
  /** Parents of each commit that the repository has, the first parent first. */
  readonly commits = new Map<string, string[]>();
  /** When each came, milliseconds since 1970. */
  readonly commitTimes = new Map<string, number>();
  readonly issues: FakeIssue[] = [];
  readonly labels: FakeLabel[] = [];
  /** In the order in which they came; rows are only ever added. */
  readonly statuses: FakeStatus[] = [];
  /** Without the right, labels of a new issue are dropped without a word. */
  mayLabel = true;
  /** Most rows on a page (`MAX_RESPONSE_ITEMS`). */
  maxPage = 50;
  #comments = 0;

  constructor(
    readonly name: string,
    private readonly url: string,
    private readonly now: () => number,
  ) {}

  /** Adds an issue, or a pull request, as somebody else would. */
  addIssue(issue: { title: string; body?: string; isPull?: boolean; labels?: string[] }): FakeIssue {
    const { title, body = '', isPull = false, labels = [] } = issue;
    const added: FakeIssue = {
      number: this.issues.length + 1,
      title,
      body,
      state: 'open',
      labels: this.labels.filter(({ name }) => labels.includes(name)),
      comments: [],
      isPull,
      createdAt: this.now(),
    };
    this.issues.push(added);
    return added;
  }

  addLabel(name: string, color = '#ffffff', description = ''): FakeLabel {
    const id = this.labels.length + 1;
    const label = { id, name, color: color.replace('#', ''), description, url: `${this.url}/labels/${id}` };
    this.labels.push(label);
    return label;
  }

  /** Adds a commit; with `branch` it becomes its head. */
  addCommit(sha: string, parents: string[] = [], branch?: string): void {
    this.commits.set(sha, parents);
    this.commitTimes.set(sha, this.now());
    if (branch) this.branches.set(branch, sha);
  }

  addStatus(sha: string, row: Pick<FakeStatus, 'context' | 'state'> & Partial<FakeStatus>): FakeStatus {
    const id = this.statuses.filter((status) => status.sha === sha).length + 1;
    const added = { description: '', target_url: '', createdAt: this.now(), ...row, id, sha };
    this.statuses.push(added);
    return added;
  }

  /** The state of a context on a commit: that of its newest row. */
  stateOf(sha: string, context: string): string | undefined {
    return this.statuses.filter((row) => row.sha === sha && row.context === context).at(-1)?.state;
  }

  /** Null: there is no such route. */
  answer(request: FakeRequest): FakeAnswer | null {
    if (!this.hasIssues && /^\/(?:issues|labels)/.test(request.path)) return missing();
    for (const [method, pattern, handle] of this.#routes) {
      const match = pattern.exec(request.path);
      if (match && method === request.method) {
        return handle(
          match.slice(1).map((part) => decodeURIComponent(part ?? '')),
          request,
        );
      }
    }
    return null;
  }

  readonly #routes: [string, RegExp, (parts: string[], request: FakeRequest) => FakeAnswer][] = [
    ['GET', /^$/, () => ({ status: 200, body: { full_name: this.name, has_issues: this.hasIssues } })],
    ['GET', /^\/actions\/variables\/([^/]+)$/, ([name = '']) => variable(this.variables, name)],
    ['GET', /^\/actions\/tasks$/, (_parts, { query }) => this.#listTasks(query)],
    ['GET', /^\/commits$/, (_parts, { query }) => this.#history(query)],
    ['GET', /^\/branches\/([^/]+)$/, ([branch = '']) => this.#branch(branch)],
    ['GET', /^\/compare\/(.+)\.\.\.(.+)$/, ([base = '', head = '']) => this.#compare(base, head)],
    ['GET', /^\/commits\/([^/]+)\/statuses$/, ([sha = ''], { query }) => this.#listStatuses(sha, query)],
    ['POST', /^\/statuses\/([^/]+)$/, ([sha = ''], { body }) => this.#createStatus(sha, body)],
    ['GET', /^\/issues$/, (_parts, { query }) => this.#listIssues(query)],
    ['POST', /^\/issues$/, (_parts, { body }) => this.#createIssue(body)],
    ['PATCH', /^\/issues\/(\d+)$/, ([number = ''], { body }) => this.#editIssue(Number(number), body)],
    ['POST', /^\/issues\/(\d+)\/comments$/, ([number = ''], { body }) => this.#comment(Number(number), body)],
    ['POST', /^\/issues\/(\d+)\/labels$/, ([number = ''], { body }) => this.#label(Number(number), body)],
    ['GET', /^\/labels$/, (_parts, { query }) => this.#page(this.labels, query)],
    ['POST', /^\/labels$/, (_parts, { body }) => this.#createLabel(body)],
  ];

  #listTasks(query: URLSearchParams): FakeAnswer {
    const { body, total } = this.#page(
      [...this.tasks].sort((a, b) => b.id - a.id),
      query,
    );
    return { status: 200, body: { workflow_runs: body, total_count: total } };
  }

  /** The commit in `sha` and those before it, in an order that keeps a child before its parents. */
  #history(query: URLSearchParams): FakeAnswer {
    const sha = query.get('sha') ?? '';
    if (!this.commits.has(sha)) return missing();
    const rows = [...this.#ancestors(sha)].map((commit) => ({
      sha: commit,
      created: this.#date(this.commitTimes.get(commit) ?? 0),
      parents: this.commits.get(commit)?.map((parent) => ({ sha: parent })) ?? [],
    }));
    return this.#page(rows, query);
  }

  #branch(name: string): FakeAnswer {
    const id = this.branches.get(name);
    return id ? { status: 200, body: { name, protected: false, commit: { id, message: '' } } } : missing();
  }

  #compare(base: string, head: string): FakeAnswer {
    if (!this.commits.has(base) || !this.commits.has(head)) return missing();
    const old = this.#ancestors(base);
    const commits = [...this.#ancestors(head)].filter((sha) => !old.has(sha));
    const body = {
      total_commits: commits.length,
      commits: commits.map((sha) => ({
        sha,
        url: `${this.url}/git/commits/${sha}`,
        parents: this.commits.get(sha)?.map((parent) => ({ sha: parent, url: '' })) ?? [],
      })),
    };
    return { status: 200, body };
  }

  #ancestors(sha: string): Set<string> {
    const seen = new Set<string>();
    const open = [sha];
    for (let at = open.shift(); at !== undefined; at = open.shift()) {
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(this.commits.get(at) ?? []));
    }
    return seen;
  }

  #listStatuses(sha: string, query: URLSearchParams): FakeAnswer {
    if (!this.commits.has(sha)) return missing();
    const rows = this.statuses.filter((row) => row.sha === sha).map((row) => this.#statusView(row));
    // Newest second first, and within a second in no order that could be relied on.
    rows.sort((a, b) => b.created_at.localeCompare(a.created_at) || a.id - b.id);
    return this.#page(rows, query);
  }

  #createStatus(sha: string, body: Record<string, unknown>): FakeAnswer {
    // The real server has no better answer for a commit that it does not know.
    if (!this.commits.has(sha)) return { status: 500, body: { message: '', url: this.url } };
    const text = (name: string) => String(body[name] ?? '');
    const row = this.addStatus(sha, {
      context: text('context'),
      state: text('state'),
      description: text('description'),
      target_url: text('target_url'),
    });
    return { status: 201, body: this.#statusView(row) };
  }

  #listIssues(query: URLSearchParams): FakeAnswer {
    const state = query.get('state') ?? 'open';
    const type = query.get('type');
    const named = (query.get('labels') ?? '').split(',');
    // Names of labels that there are not are dropped; without any left, nothing is filtered.
    const labels = this.labels.filter(({ name }) => named.includes(name));
    const rows = this.issues
      .filter((issue) => state === 'all' || issue.state === state)
      .filter((issue) => !type || issue.isPull === (type === 'pulls'))
      .filter((issue) => labels.every(({ id }) => issue.labels.some((label) => label.id === id)))
      .sort((a, b) => b.number - a.number);
    return this.#page(
      rows.map((issue) => this.#issueView(issue)),
      query,
    );
  }

  #createIssue({ title, body, labels }: Record<string, unknown>): FakeAnswer {
    const issue = this.addIssue({ title: String(title), body: String(body ?? '') });
    const ids = Array.isArray(labels) ? labels : [];
    if (this.mayLabel) issue.labels = this.labels.filter(({ id }) => ids.includes(id));
    return { status: 201, body: this.#issueView(issue) };
  }

  #editIssue(number: number, { title, body, state }: Record<string, unknown>): FakeAnswer {
    const issue = this.#issue(number);
    if (!issue) return missing();
    if (typeof title === 'string') issue.title = title;
    if (typeof body === 'string') issue.body = body;
    if (state === 'open' || state === 'closed') issue.state = state;
    return { status: 201, body: this.#issueView(issue) };
  }

  #comment(number: number, { body }: Record<string, unknown>): FakeAnswer {
    const issue = this.#issue(number);
    if (!issue) return missing();
    issue.comments.push(String(body));
    return { status: 201, body: { id: ++this.#comments, body, created_at: this.#date(this.now()) } };
  }

  #label(number: number, { labels }: Record<string, unknown>): FakeAnswer {
    const issue = this.#issue(number);
    if (!issue) return missing();
    const wanted = Array.isArray(labels) ? labels : [];
    const added = this.labels.filter((label) => wanted.includes(label.id) || wanted.includes(label.name));
    issue.labels = [...new Set([...issue.labels, ...added])];
    return { status: 200, body: issue.labels };
  }

  #createLabel({ name, color, description }: Record<string, unknown>): FakeAnswer {
    // The real server does not mind two labels of one name either.
    return { status: 201, body: this.addLabel(String(name), String(color), String(description ?? '')) };
  }

  #issue = (number: number) => this.issues.find((issue) => issue.number === number);

  #page(rows: readonly unknown[], query: URLSearchParams): FakeAnswer {
    const limit = Math.min(Number(query.get('limit')) || DEFAULT_PAGE, this.maxPage);
    const page = Math.max(Number(query.get('page')) || 1, 1);
    return { status: 200, body: rows.slice((page - 1) * limit, page * limit), total: rows.length };
  }

  #issueView({ comments, isPull, createdAt, ...issue }: FakeIssue) {
    return {
      ...issue,
      id: 1_000 + issue.number,
      html_url: `${this.url}/${isPull ? 'pulls' : 'issues'}/${issue.number}`,
      comments: comments.length,
      created_at: this.#date(createdAt),
      pull_request: isPull ? { merged: false, merged_at: null } : null,
    };
  }

  /** The state stands in `status`, and in no field of the name under which it was sent. */
  #statusView({ createdAt, sha, state, ...row }: FakeStatus) {
    const at = this.#date(createdAt);
    return { ...row, status: state, url: `${this.url}/statuses/${sha}`, created_at: at, updated_at: at };
  }

  /** Gitea keeps whole seconds. */
  #date = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Of a repository or of an organisation. */
export function variable(variables: Map<string, string>, name: string): FakeAnswer {
  const data = variables.get(name);
  return data === undefined ? missing() : { status: 200, body: { owner_id: 1, repo_id: 1, name, data } };
}

const missing = (): FakeAnswer => ({ status: 404, body: { message: 'not found', url: '', errors: null } });
