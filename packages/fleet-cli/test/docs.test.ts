/** What README and docs tell people to type is understood, what they show to be written is taken. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exitCodeOf, OUTCOMES } from '@tenant-fleet/fleet-core';
import { configFileSchema } from '@tenant-fleet/fleet-core/config';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../src/program.js';
import { commandsPage } from './made-commands.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string) => readFileSync(`${root}${file}`, 'utf8');
const below = (folder: string) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => `${folder}/${file}`);
const packages = readdirSync(`${root}packages`).map((name) => `packages/${name}/README.md`);
const FILES = ['README.md', 'CONTRIBUTING.md', ...packages, ...below('docs'), ...below('examples')].filter(
  (file) => {
    try {
      return read(file) !== '';
    } catch {
      return false;
    }
  },
);

/** The blocks of a language, with the line that each begins at. */
const blocksOf = (file: string, language: string) =>
  [...read(file).matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map((found) => ({
    text: `${found[1]}`,
    place: `${file}:${read(file).slice(0, found.index).split('\n').length + 1}`,
  }));

/** The words of a shell line up to whatever ends the command; what the shell would put in stands as one word. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/(?:\$\([^)]*\)|"(?:\$\([^)]*\)|[^"])*"|'[^']*'|[^\s"'])+/g)].map(
    ([word]) => word,
  );
  const end = words.findIndex((word) => /^(?:#.*|[|&;]+|\d?[<>]+.*)$/.test(word));
  const own = end < 0 ? words : words.slice(0, end);
  return own.map((word) => word.replace(/^["']|["']$/g, ''));
}

/** What somebody types, or is told to: lines of a script, and in output those behind a prompt or below `Next`. */
const typed = FILES.flatMap((file) =>
  [...blocksOf(file, 'sh'), ...blocksOf(file, 'text')].flatMap(({ text, place }) =>
    text
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/^(?:\$ | {2})?(?:[A-Z_]+=\S* )*/, ''))
      .filter((line) => /^(?:fleet|npx -y (?:pnpm@10 fleet|@tenant-fleet\/fleet-cli(?:@\S+)?)) /.test(line))
      .map((line) => [place, line.replace(/^npx -y (?:pnpm@10 fleet|\S+)/, 'fleet')] as const),
  ),
);

/** The parser alone: no command does anything. */
function idle(args: string[]): Command {
  const program = buildProgram('0.0.0', () => {}, args);
  const quiet = (command: Command) => {
    command
      .action(() => {})
      .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
    command.commands.forEach(quiet);
  };
  quiet(program);
  return program;
}

describe('README and docs', () => {
  it('there is something to type in them', () => {
    expect(typed.length).toBeGreaterThan(80);
  });

  it.each(typed)('%s %s', async (_, line) => {
    const [, ...args] = wordsOf(line);
    await idle(args)
      .parseAsync(args, { from: 'user' })
      .catch((error) => {
        // `--help` and `--version` end the parser by an error of their own.
        if (error.exitCode !== 0) throw error;
      });
  });

  const configurations = FILES.flatMap((file) => blocksOf(file, 'yaml')).filter(
    // A server's own configuration is tried by its own tests.
    ({ text }) => /^environments:/m.test(text) && !/^(?:jobs|.*policy-bounds):/m.test(text),
  );
  it.each(configurations)('$place is a configuration', ({ text }) => {
    expect(configFileSchema().safeParse(parse(text))).toMatchObject({ success: true });
  });

  it('docs/commands.md has every command', async () => {
    await expect(commandsPage()).toMatchFileSnapshot(`${root}docs/commands.md`);
  });

  it.each([...OUTCOMES])('there is a page for %s, with its exit codes', (outcome) => {
    const page = read(`docs/outcomes/${outcome}.md`);
    const [, codes = ''] = new RegExp(`^\`"outcome": "${outcome}"\`, exit code (.*)$`, 'm').exec(page) ?? [];
    for (const askedBy of ['ci', 'human'] as const)
      expect(codes).toMatch(new RegExp(`\\b${exitCodeOf(outcome, { askedBy })}\\b`));
    expect(read('docs/outcomes/README.md')).toContain(`(${outcome}.md)`);
  });
});
