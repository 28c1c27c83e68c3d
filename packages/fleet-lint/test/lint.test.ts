// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintResult, lintWorkflows, RULES } from '../src/index.js';
import { type Context, conditionOf, holds } from '../src/syntax/condition.js';
import { embeddedIn, referencesIn } from '../src/syntax/expression.js';
import { codeOf, commandsOf, flagOf } from '../src/syntax/script.js';
import { deploying, scripted, WORKFLOW } from './check.js';
import { REALISTIC } from './realistic.js';

it('finds nothing in workflows as they should be', () => {
  expect(lintWorkflows(REALISTIC)).toEqual([]);
});

it('every rule has its cases', () => {
  const folder = new URL('.', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  const tests = names.map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const tried = tests.flatMap((text) => [...text.matchAll(/^rule\('([a-z0-9-]+)'/gm)].map(([, id]) => id));
  expect(tried.sort()).toEqual(RULES.map(({ id }) => id).sort());
});

it('every rule has an id of its own in kebab-case, and says why and what to do', () => {
  const ids = RULES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, shape, why, next } of RULES) {
    expect(id).toMatch(/^[a-z]+(?:-[a-z0-9]+)+$/);
    for (const text of [shape, why, next]) expect(text.length).toBeGreaterThan(10);
  }
});

it('line ends of Windows and a mark at the start change no place', () => {
  const text = deploying({ job: 'environment: x', step: 'continue-on-error: true' });
  const scriptText = scripted('make\nfleet redeploy \\\n  --soak 1s || true');
  for (const one of [text, scriptText]) {
    const found = (written: string) =>
      lintWorkflows([{ path: WORKFLOW, text: written }]).map(({ rule, line, column }) => [
        rule,
        line,
        column,
      ]);
    expect(found(one).length).toBeGreaterThan(0);
    expect(found(one.replaceAll('\n', '\r\n'))).toEqual(found(one));
    expect(found(`\ufeff${one}`)).toEqual(found(one));
  }
});

/** Few beside the other tests, many in `pnpm test:long`. */
const cases = (few: number) => Number(process.env.FLEET_TEST_PROPERTY_RUNS ?? few);

describe('never throws', () => {
  const anyOf = (...texts: string[]) => fc.constantFrom(...texts);
  const words = REALISTIC.flatMap(({ text }) => text.split(/(\n|\s|[:{}[\]'"])/)).filter(Boolean);
  const paths = anyOf(
    WORKFLOW,
    '.gitea/actions/x/action.yml',
    'fleet.config.yaml',
    '.github/workflows/y.yaml',
  );

  it('on words of workflows in any order', () => {
    const text = fc.array(anyOf(...words, '\n', '\n  ', '${{', '*a', '&a ', '<<: ', '\t'), { maxLength: 60 });
    fc.assert(
      fc.property(paths, text, (path, parts) => {
        for (const one of lintWorkflows([{ path, text: parts.join('') }]))
          expect(one.line).toBeGreaterThan(0);
      }),
      { numRuns: cases(300) },
    );
  }, 300_000);

  it('on workflows of which parts were taken out, doubled or swapped', () => {
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.array(fc.tuple(fc.nat(), fc.nat(30), fc.string()), { maxLength: 4 }),
        (which, cuts) => {
          const file = REALISTIC[which];
          let text = file?.text ?? '';
          for (const [at, length, put] of cuts) {
            const start = at % (text.length + 1);
            text = text.slice(0, start) + put + text.slice(start + length);
          }
          lintWorkflows([{ path: file?.path ?? WORKFLOW, text }, ...REALISTIC]);
        },
      ),
      { numRuns: cases(150) },
    );
  }, 300_000);

  it('on scripts of shell words in any order, where a deploy is among them', () => {
    const shell =
      'if then else fi for in do done while until case esac { } ( ) (( )) [[ ]] ! & && || | |& ; ;; $( ` \' " \\ # < <( > << <<EOF EOF f() set +e -e pipefail wait $! $? trap EXIT exit 0 return eval sh -c export X= X=$( npx fleet --soak ${{ }} \n'.split(
        ' ',
      );
    const parts = fc.array(anyOf(...shell, 'fleet redeploy', 'make'), { maxLength: 25 });
    fc.assert(
      fc.property(parts, parts, (before, after) => {
        const run = [...before, 'fleet redeploy', ...after].join(' ');
        const text = `on: push\njobs: {a: {runs-on: x, steps: [{run: ${JSON.stringify(run)}}]}}\n`;
        for (const one of lintWorkflows([{ path: WORKFLOW, text }])) expect(one.column).toBeGreaterThan(0);
      }),
      { numRuns: cases(500) },
    );
  }, 300_000);

  it.each([
    ['deep nesting', '['.repeat(20_000)],
    ['deep mappings', Array.from({ length: 3000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
    ['a document of aliases', 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\non: *c\njobs: *c\n'],
    ['an alias of itself', 'on: &a\n  push: *a\njobs: &b\n  x: *b\n'],
    ['a job that needs itself', 'on: push\njobs:\n  a:\n    needs: [b]\n  b:\n    needs: [a, b]\n'],
    ['deep conditions', deploying({ job: `if: ${'('.repeat(5000)}x` })],
    ...(['a && ', 'a || ', 'a == ', 'a.', '!', 'f().', 'f(', 'f()[', '('] as const).map((part) => [
      `a condition of many ${part}`,
      deploying({
        job: `needs: deploy\nif: "${part.repeat(20_000)}a${part === '(' ? ')'.repeat(20_000) : ''}"`,
      }),
    ]),
    [
      'a condition nested as deep as it is read',
      deploying({ job: `if: ${'(!f('.repeat(66)}a${'))'.repeat(66)}` }),
    ],
    ['two documents', 'on: push\n---\non: push\n'],
    ['keys that are no text', '? [a, b]\n: c\n1: 2\nnull: x\n'],
  ])('on %s', (_name, text) => {
    expect(() => lintWorkflows([{ path: WORKFLOW, text }])).not.toThrow();
  });
});

it.each([
  ['a long word', `${'x'.repeat(100_000)} fleet redeploy || true`],
  ['a long path', `${'a/'.repeat(50_000)}fleet redeploy`],
  ['many captures', `${'x=$('.repeat(20_000)}curl redeploy-fleet`],
  ['many braces', '${{ '.repeat(20_000)],
  ['many groups', `${'{ ('.repeat(20_000)} fleet redeploy`],
  ['many sums', `fleet redeploy || x=$?\n${'(( '.repeat(20_000)}`],
  ['many pipes', `fleet redeploy ${'| cat '.repeat(20_000)}`],
  ['many lists', `${'fleet redeploy && make\n'.repeat(300)}`],
  ['many quotes', `curl redeploy-fleet ${'"a '.repeat(20_000)}`],
])(
  '%s takes no time out of proportion',
  (_name, script) => {
    const text = `on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ${JSON.stringify(script)}\n`;
    // A quadratic reading of these takes minutes; the limit of the test is all that measures it.
    expect(lintWorkflows([{ path: WORKFLOW, text }])).toBeInstanceOf(Array);
  },
  30_000,
);

it('findings come by file, line and column', () => {
  const text = deploying({ job: 'environment: x\ncontinue-on-error: true', step: 'continue-on-error: true' });
  const found = lintWorkflows(['b', 'a'].map((name) => ({ path: `.gitea/workflows/${name}.yml`, text })));
  const places = found.map(({ file, line, column }) =>
    [file, String(line).padStart(4), String(column).padStart(4)].join(),
  );
  expect(places).toEqual([...places].sort());
});

it('the document counts, and is strict on demand', () => {
  const files = [{ path: WORKFLOW, text: deploying({ job: 'environment: x' }) }];
  expect(lintResult(files)).toMatchObject({
    schema: 'fleet-lint/1',
    passed: true,
    counts: { errors: 0, warnings: 1 },
    files: [WORKFLOW],
  });
  expect(lintResult(files, { strict: true }).passed).toBe(false);
  expect(lintResult([{ path: WORKFLOW, text: 'on: [' }]).passed).toBe(false);
});

describe('expressions', () => {
  const context: Context = {
    'github.event_name': { value: 'push' },
    'github.ref': { prefix: 'refs/heads/' },
  };
  it.each<[string, boolean | null]>([
    ["github.event_name == 'Push'", true],
    ["'push' != github.event_name", false],
    ["gitea.event_name == 'push'", true],
    ["github.ref == 'main'", false],
    ["github.ref == 'refs/heads/main'", null],
    ["startsWith(github.ref, 'refs/tags/')", false],
    ["startsWith(github.ref, 'refs/')", true],
    ["github.event_name == 'release' && vars.X", false],
    ["github.event_name == 'push' || vars.X", true],
    ["!(github.event_name == 'push')", false],
    ['vars.X', null],
    ["always() && github.event_name == 'push'", true],
    ["'' || 0", false],
    ["github.run_number > 3 && 'it''s' == 'IT''S'", null],
  ])('%s: %s', (text, expected) => {
    const condition = conditionOf(text);
    expect(condition && holds(condition, context)).toBe(expected);
    const braced = conditionOf(`\${{ ${text} }}`);
    expect(braced && holds(braced, context)).toBe(expected);
  });

  it.each(['a ==', '"a"', 'a b', '', '(a', 'a)', 'f(a', 'a &&& b'])('%j is none', (text) => {
    expect(conditionOf(text)).toBeUndefined();
  });

  it.each([
    "${{ github.ref == 'x' }} && false",
    '${{ false }}\n',
    ' ${{ false }}',
    '${{ false }} ${{ false }}',
  ])('%j is a text, and true', (text) => {
    const condition = conditionOf(text);
    expect(condition && holds(condition, context)).toBe(true);
  });

  it('finds references and their places', () => {
    const [one, two] = embeddedIn("a ${{ needs.b['outputs'].c }} ${{ format('}}', x.*.y) }}");
    expect([one?.at, two?.at]).toEqual([2, 30]);
    expect(referencesIn(one?.expression)).toEqual([['needs', 'b', 'outputs', 'c']]);
    expect(referencesIn(two?.expression)).toEqual([['x', '*', 'y']]);
  });
});

describe('scripts', () => {
  it('one command however many lines it takes', () => {
    const script = 'a \\\n  b # note\n"c\nd" e\nx=$(f \\\n g\n  h)\ncat <<EOF\n# i || true\nEOF\nj\n';
    expect(commandsOf(script).map(({ text }) => text)).toEqual([
      'a    b',
      '"c d" e',
      'x=$(f   g   h)',
      'cat <<EOF',
      'j',
    ]);
  });

  it('knows where a part of a command stands', () => {
    const script = 'make\nfleet redeploy \\\n  || true\n';
    const [, command] = commandsOf(script);
    expect(command?.at).toBe(5);
    expect(command?.origin(command.text.indexOf('||'))).toBe(script.indexOf('||'));
  });

  it('blanks what is quoted, but not what runs', () => {
    const text = `a "b $(c "d" e) f" 'g' \\"h`;
    expect(codeOf(text)).toBe(`a "  $(c " " e)  " ' ' \\"h`);
    expect(codeOf('sh -c "a"')).toBe('sh -c "a"');
  });

  it.each([
    ['x --soak 1s --no-lock', 'soak', '1s'],
    ['x --soak=1s', 'soak', '1s'],
    ['x --soak "1 s" y', 'soak', '1 s'],
    ['x --no-lock --soak 1s', 'no-lock', ''],
    ['x --no-lock', 'no-lock', ''],
    ['x --soaked 1s', 'soak', undefined],
    ['sh -c "x --soak 1s"', 'soak', '1s'],
    ['$(x --no-lock)', 'no-lock', ''],
  ])('%s: --%s is %j', (text, name, value) => {
    expect(flagOf(text, name)).toBe(value);
  });
});
