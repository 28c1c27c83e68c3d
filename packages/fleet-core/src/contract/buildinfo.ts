import * as z from 'zod';
import { shaSchema } from './words.js';

/** What a tenant says it runs: a commit, or `dev` from a build into which no commit was wired. */
export const buildinfoSchema = z.looseObject({
  git_sha: z.preprocess(
    // The line end that `git rev-parse` writes behind the commit, and that a build took along.
    (value) => (typeof value === 'string' ? value.replace(/\r?\n$/, '') : value),
    z.union([shaSchema, z.literal('dev')]),
  ),
});
