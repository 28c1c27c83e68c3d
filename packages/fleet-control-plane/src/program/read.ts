import { readFile } from 'node:fs/promises';

/** What a person gave wrong: one line, and exit code 2. */
export class UsageError extends Error {}

/** @throws UsageError where the file cannot be read. */
export async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the ${what} ${file}: ${(error as NodeJS.ErrnoException).code}.`);
  }
}
