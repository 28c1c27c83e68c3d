/** Which files of a repository are linted, read from its folder. */
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_FILES } from '@tenant-fleet/fleet-core/config';
import { usageError } from '@tenant-fleet/fleet-core/program';
import type { LintFile } from '../syntax/place.js';
import { WORKFLOW_FOLDERS } from './servers.js';

const ACTIONS = ['.forgejo/actions', '.gitea/actions', '.github/actions'];

/**
 * Reads what {@link lintWorkflows} looks at: workflows with those in sub-folders, the actions of the repository and
 * configuration files. Symbolic links are named and not followed, as servers have it.
 *
 * @param folder Root of the repository.
 * @param options Whether a repository without workflows will do. Default: no.
 * @throws FleetError `USAGE` where the folder is none, has no workflows, or a file of it cannot be read.
 */
export async function readRepository(folder: string, options: { empty?: boolean } = {}): Promise<LintFile[]> {
  const there = await stat(folder).catch(() => null);
  if (!there?.isDirectory())
    throw refused(`${folder} is ${there ? 'not a folder' : 'not there'}`, 'name the root of a repository');
  const workflows = await inOrder(WORKFLOW_FOLDERS, (path) => filesBelow(folder, path));
  if (!workflows.length && !options.empty) {
    const places = WORKFLOW_FOLDERS.map((path) => join(folder, path)).join(', ');
    throw refused(
      `there is nothing to read: no .yml or .yaml file in ${places}`,
      'name the root of a repository',
    );
  }
  const shared = await inOrder(ACTIONS, (path) => filesBelow(folder, path, 2));
  const used = await inOrder(usedActions(workflows), (path) => actionAt(folder, path));
  const known = new Set(shared.map(({ path }) => path));
  const config = await inOrder(CONFIG_FILES, (name) => readIfThere(folder, name));
  return [
    ...workflows,
    ...shared.filter(isAction),
    ...used.filter(({ path }) => !known.has(path)),
    ...config,
  ];
}

const isAction = ({ path, link }: LintFile) => link || /\/action\.ya?ml$/.test(path);

/** Folders that workflows name by `uses: ./folder`. */
function usedActions(workflows: readonly LintFile[]): string[] {
  const paths = workflows.flatMap(({ text }) =>
    [...text.matchAll(/\buses:\s*["']?\.\/([\w./-]+)/g)].map(([, path = '']) => path.replace(/\/$/, '')),
  );
  return [...new Set(paths)].filter((path) => !/\.ya?ml$/.test(path) && !path.split('/').includes('..'));
}

async function actionAt(folder: string, path: string): Promise<LintFile[]> {
  const [yml = [], yaml = []] = await Promise.all(
    ['action.yml', 'action.yaml'].map((name) => readIfThere(folder, `${path}/${name}`)),
  );
  return yml.length ? yml : yaml;
}

/** The YAML files below a folder of the repository, by name, and the links in it. */
async function filesBelow(folder: string, below: string, depth = 100): Promise<LintFile[]> {
  const itself = await lstat(join(folder, below)).catch(() => null);
  if (itself?.isSymbolicLink()) return [{ path: below, text: '', link: true }];
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
      throw refused(`${join(folder, below)} cannot be read (${error.code})`, READABLE);
    },
  );
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return inOrder(entries, async (entry): Promise<LintFile[]> => {
    const path = `${below}/${entry.name}`;
    if (entry.isSymbolicLink()) return [{ path, text: '', link: true }];
    if (entry.isDirectory()) return depth > 1 ? filesBelow(folder, path, depth - 1) : [];
    return /\.ya?ml$/.test(entry.name) ? [await read(folder, path)] : [];
  });
}

async function readIfThere(folder: string, path: string): Promise<LintFile[]> {
  return (await lstat(join(folder, path)).catch(() => null)) ? [await read(folder, path)] : [];
}

const READABLE = 'every file counts: make it readable';

async function read(folder: string, path: string): Promise<LintFile> {
  const text = await readFile(join(folder, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refused(`${join(folder, path)} cannot be read (${error.code})`, READABLE);
  });
  return { path, text };
}

async function inOrder<T>(list: readonly T[], filesOf: (one: T) => Promise<LintFile[]>): Promise<LintFile[]> {
  return (await Promise.all(list.map(filesOf))).flat();
}

const refused = (problem: string, next: string) => usageError(`lint: ${problem}`, { next });
