/** The servers that run workflows, and which files each of them reads. */
import { usageError } from '@tenant-fleet/fleet-core/program';

/** A server, by its version where they differ. Forgejo's releases are not told apart: what any has counts. */
export type Server = 'gitea-1.22' | 'gitea-1.25' | 'gitea-1.27' | 'forgejo' | 'github';

/** All servers. */
export const SERVERS: readonly Server[] = ['gitea-1.22', 'gitea-1.25', 'gitea-1.27', 'forgejo', 'github'];

/** All but GitHub: Gitea, its fork, and the runners of both. */
export const GITEA_AND_FORGEJO = SERVERS.filter((server) => server !== 'github');

/** @throws FleetError `USAGE` where it is the name of none. */
export function parseServer(text: string): Server {
  const server = SERVERS.find((one) => one === text.toLowerCase());
  if (server) return server;
  throw usageError(`lint: there is no server ${text}`, {
    option: 'server',
    next: `--server takes ${SERVERS.join(', ')}`,
  });
}

/** Folders of workflows; each server reads the first that it knows and that is there. */
export const WORKFLOW_FOLDERS = ['.forgejo/workflows', '.gitea/workflows', '.github/workflows'] as const;

const foldersOf = (server: Server) =>
  WORKFLOW_FOLDERS.slice(server === 'forgejo' ? 0 : server === 'github' ? 2 : 1);

/** Whether a path is a workflow's, for one server or another. */
export const isWorkflowPath = (path: string): boolean =>
  WORKFLOW_FOLDERS.some((folder) => path.startsWith(`${folder}/`));

/** Which of the servers read a file, given the paths of all workflows. Actions and configuration are for all. */
export function readersOf(path: string, servers: readonly Server[], workflows: readonly string[]): Server[] {
  return servers.filter((server) => {
    if (!isWorkflowPath(path)) return true;
    const folder = foldersOf(server).find((one) => workflows.some((other) => other.startsWith(`${one}/`)));
    // GitHub leaves sub-folders out.
    const nested = server === 'github' && path.split('/').length > 3;
    return folder !== undefined && path.startsWith(`${folder}/`) && !nested;
  });
}

/** Those of the servers that know a file's folder, and read another one in its place. */
export const passedBy = (path: string, servers: readonly Server[], readers: readonly Server[]): Server[] =>
  servers.filter(
    (server) =>
      !readers.includes(server) && foldersOf(server).some((folder) => path.startsWith(`${folder}/`)),
  );

/** Servers as people call them, without their versions. */
export function namesOf(servers: readonly Server[]): string {
  const names = servers.map((server) =>
    server === 'github' ? 'GitHub' : server === 'forgejo' ? 'Forgejo' : 'Gitea',
  );
  return [...new Set(names)].join(' and ');
}
