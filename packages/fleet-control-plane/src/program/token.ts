import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type * as z from 'zod';
import { SCOPES, type Scope } from '../http/auth/scopes.js';
import { expiresSchema, groupGlobSchema, makeToken, tokenNameSchema } from '../http/auth/tokens.js';

interface TokenFlags {
  scope: Scope[];
  group?: string[];
  expires?: string;
}

const valid =
  (schema: z.ZodType<unknown, string>) =>
  (text: string): string => {
    const parsed = schema.safeParse(text);
    if (!parsed.success) throw new InvalidArgumentError(`${parsed.error.issues[0]?.message}.`);
    return text;
  };
const each =
  <T extends string>(parse: (text: string) => T) =>
  (text: string, all: T[] = []) => [...all, parse(text)];

function scope(text: string): Scope {
  const known = SCOPES.find((name) => name === text);
  if (!known) throw new InvalidArgumentError(`must be one of ${SCOPES.join(', ')}.`);
  return known;
}

/** `token NAME --scope ...`: a new token, printed once, and its line for the tokens file. */
export function tokenCommand(print: (text: string) => void): Command {
  return new Command('token')
    .description('Make a named token: print it once, and the line for --tokens-file.')
    .addArgument(
      new Argument('<name>', 'whose it is, as the audit log shows it').argParser(valid(tokenNameSchema)),
    )
    .addOption(
      new Option('--scope <scope>', `${SCOPES.join(', ')}; repeatable`)
        .argParser(each(scope))
        .makeOptionMandatory(),
    )
    .option(
      '--group <glob>',
      'lock groups that it may name; repeatable; default all',
      each(valid(groupGlobSchema)),
    )
    .option('--expires <date>', 'last day (UTC) or ISO time at which it counts', valid(expiresSchema))
    .action((name: string, { scope: scopes, group, expires }: TokenFlags) => {
      const { token, line } = makeToken({
        name,
        scopes: [...new Set(scopes)],
        ...(group && { groups: group }),
        ...(expires && { expires }),
      });
      print(`# The token, shown this once:\n${token}\n# Its line in the tokens file:\n${line}\n`);
    });
}
