/** Report files: refused before the first request if they cannot be written, and never half-written. */
import { constants } from 'node:fs';
import { access, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type FleetResult, resultSchema } from '@tenant-fleet/fleet-core';
import { oneLine, usageError } from '@tenant-fleet/fleet-core/program';

/** @throws FleetError `USAGE` where `path` cannot become a file. */
export async function checkWritable(option: string, path: string): Promise<void> {
  const bad = (problem: string) => usageError(`${option}: cannot write ${path}: ${problem}`, { option });
  if (!path) throw usageError(`${option}: names no file`, { option });
  const folder = dirname(resolve(path));
  const there = await stat(folder).catch(() => null);
  if (!there) throw bad('its folder does not exist');
  if (!there.isDirectory()) throw bad(`${folder} is not a folder`);
  const file = await stat(path).catch(() => null);
  if (file?.isDirectory()) throw bad('it is a folder');
  if (file && !file.isFile()) throw bad('it is not a regular file');
  await access(folder, constants.W_OK).catch(() => {
    throw bad('its folder may not be written to');
  });
}

/** Replaces `path` in one step: whoever reads it sees the old file or the new one, never a part. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const target = await realpath(path).catch(() => resolve(path));
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    const file = await open(draft, 'w', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Reads a result that `--json` or `--report-json` wrote. @throws FleetError `USAGE`. */
export async function readResult(path: string): Promise<FleetResult> {
  const bad = (problem: string) =>
    usageError(`${path}: ${problem}`, { next: 'give a file that --json or --report-json wrote' });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw bad(error.code === 'ENOENT' ? 'there is no such file' : `cannot be read (${error.code})`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw bad('is not JSON');
  }
  const parsed = resultSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw bad(oneLine(`is not a fleet result: ${issue?.path.join('.') || 'document'}: ${issue?.message}`));
}
