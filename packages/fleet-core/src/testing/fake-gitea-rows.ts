/** What the fake Gitea keeps and answers. */

export interface FakeLabel {
  id: number;
  name: string;
  color: string;
  description: string;
  url: string;
}

export interface FakeIssue {
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  labels: FakeLabel[];
  comments: string[];
  /** Gitea keeps pull requests among issues. */
  isPull: boolean;
  createdAt: number;
}

export interface FakeStatus {
  /** Index among the statuses of its commit. */
  id: number;
  sha: string;
  context: string;
  state: string;
  description: string;
  target_url: string;
  createdAt: number;
}

/** What a route answers. */
export interface FakeAnswer {
  status: number;
  body: unknown;
  /** Length of the whole list, for lists. */
  total?: number;
}

export interface FakeRequest {
  method: string;
  /** Below the repository, decoded nowhere. */
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
}

/** One job of Actions. */
export interface FakeTask {
  id: number;
  name: string;
  status: string;
  event: string;
  head_sha: string;
  run_number: number;
}
