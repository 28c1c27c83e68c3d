// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are scripts
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lossOf } from '../src/syntax/exit-code.js';
import { parseShell, shellOf } from '../src/syntax/shell.js';

/** A folder with a `fleet` that fails, but for `redeploy ok`, and a `make` that does not. */
let commands: string;
beforeAll(() => {
  commands = mkdtempSync(join(tmpdir(), 'fleet-lint-'));
  for (const [name, body] of [
    ['fleet', '[ "$2" = ok ] || exit 3'],
    ['make', 'exit 0'],
  ] as const) {
    writeFileSync(join(commands, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(commands, name), 0o755);
  }
});
afterAll(() => rmSync(commands, { recursive: true }));

const SHELLS = ['bash', 'bash -e {0}', 'bash {0}', 'sh', 'bash --noprofile --norc -euo pipefail {0}'];

/** Whether a script ends with 0 although its deploy failed, as the shell itself has it. */
function isGreen(script: string, shell: string): boolean {
  const file = join(commands, 'script');
  writeFileSync(file, `${script}\n`);
  const usual = { bash: 'bash --noprofile --norc -e -o pipefail {0}', sh: 'sh -e {0}' }[shell] ?? shell;
  const [program = '', ...args] = usual.split(' ').map((word) => word.replace('{0}', file));
  const env = { PATH: [commands, process.env.PATH].join(delimiter) };
  const { status, signal } = spawnSync(program, args, { env, cwd: commands, input: '', timeout: 20_000 });
  expect(signal).toBeNull();
  return status === 0;
}

const lossIn = (script: string, shell?: string) => {
  const { options } = shellOf(shell);
  return (
    options &&
    lossOf(parseShell(script), script.indexOf('fleet redeploy'), options, (text) =>
      /fleet redeploy/.test(text),
    )
  );
};

/** Scripts, and the shells (of {@link SHELLS}) that show them as green. */
const [NEVER, ALWAYS] = [[] as number[], [0, 1, 2, 3, 4]];
const CASES: [string, number[]][] = [
  ['fleet redeploy', NEVER],
  ['make\nfleet redeploy --reason "a | b; c"', NEVER],
  ['fleet redeploy || true', ALWAYS],
  ['fleet redeploy || exit 1', NEVER],
  ['fleet redeploy || make report', ALWAYS],
  ['fleet redeploy || fleet redeploy', NEVER],
  ['fleet redeploy || { echo failed; exit 4; }', NEVER],
  ['fleet redeploy || { echo failed; }', ALWAYS],
  ['fleet redeploy || code=$?\nexit "${code:-0}"', NEVER],
  ['fleet redeploy || code=$?\nmake', ALWAYS],
  ['fleet redeploy && make', NEVER],
  ['fleet redeploy && make\nmake report', ALWAYS],
  ['fleet redeploy && make || true', ALWAYS],
  ['make && fleet redeploy', NEVER],
  ['make && fleet redeploy\nmake', [2]],
  ['fleet redeploy; make', [2]],
  ['fleet redeploy\nmake', [2]],
  ['fleet redeploy | tee log', [1, 2, 3]],
  ["bash <<'EOF'\nfleet redeploy\nEOF", NEVER],
  ["bash <<'EOF'\nfleet redeploy || true\nEOF", ALWAYS],
  ["bash <<'EOF'\nfleet redeploy\nmake\nEOF", ALWAYS],
  ["bash -e <<'EOF'\nfleet redeploy\nmake\nEOF", NEVER],
  ["sh -s -- x <<-'EOF'\n\tset -e\n\tfleet redeploy\n\tmake\n\tEOF", NEVER],
  ["bash <<'EOF' | tee log\nfleet redeploy\nEOF", [1, 2, 3]],
  ["bash -e <<'EOF' || true\nfleet redeploy\nEOF", ALWAYS],
  ["make\nbash <<'EOF'\nif make; then\n  bash -c 'fleet redeploy; make'\nfi\nEOF", ALWAYS],
  ["trap 'fleet redeploy' EXIT\nmake", [2]],
  ["trap 'fleet redeploy || true' EXIT\nmake", ALWAYS],
  ['fleet redeploy 2>&1 | tee log | cat', [1, 2, 3]],
  ['fleet redeploy |& tee log', [1, 2]],
  ['set -o pipefail\nfleet redeploy | tee log', NEVER],
  ['set -euo pipefail\nfleet redeploy | tee log\nmake', NEVER],
  ['set +o pipefail\nfleet redeploy | tee log', [0, 1, 2, 4]],
  ['echo yes | fleet redeploy', NEVER],
  ['echo yes | fleet redeploy | cat', [1, 2, 3]],
  ['(fleet redeploy | tee log) || exit 1', [1, 2, 3]],
  ['fleet redeploy | tee log; exit "${PIPESTATUS[0]}"', NEVER],
  ['{ fleet redeploy; make; } | tee log', [1, 2, 3]],
  ['out=$(fleet redeploy)', NEVER],
  ['out=$(fleet redeploy)\nmake', [2]],
  ['out="$(fleet redeploy)"\necho "$out"', [2]],
  ['export OUT=$(fleet redeploy)', ALWAYS],
  ['OUT=$(fleet redeploy) make', ALWAYS],
  ['readonly OUT="$(fleet redeploy)"', ALWAYS],
  ['roll() { local out=$(fleet redeploy); echo "$out"; }\nroll', ALWAYS],
  ['echo "result: $(fleet redeploy)"', ALWAYS],
  ['echo `fleet redeploy`', ALWAYS],
  ['for one in $(fleet redeploy); do make; done', ALWAYS],
  ['[ -n "$(fleet redeploy)" ] || true', ALWAYS],
  ['out=$(fleet redeploy; make)', [0, 1, 2, 4]],
  ['cat <(fleet redeploy)', [0, 1, 2, 4]],
  ['fleet redeploy &', ALWAYS],
  ['nohup fleet redeploy >log 2>&1 &\nmake', ALWAYS],
  ['fleet redeploy &\nwait', ALWAYS],
  ['fleet redeploy &\nwait $!', NEVER],
  ['nohup fleet redeploy', NEVER],
  ['set +e\nfleet redeploy\nmake', ALWAYS],
  ['set +e\nfleet redeploy\nset -e\nmake', ALWAYS],
  ['set +e\nfleet redeploy\ncode=$?\nset -e\nexit $code', NEVER],
  ['set +e\nfleet redeploy\ncode=$?\necho "ended"', ALWAYS],
  ['set +e\nfleet redeploy\necho "ended with $?"', ALWAYS],
  ['set +e\nfleet redeploy\nif [ $? -ne 0 ]; then exit 1; fi', NEVER],
  ['set +e\nset -e\nfleet redeploy\nmake', NEVER],
  ['(set +e; make)\nfleet redeploy\nmake', [2]],
  ['if fleet redeploy; then make; fi', ALWAYS],
  ['if ! fleet redeploy; then echo failed; fi', ALWAYS],
  ['if ! fleet redeploy; then exit 1; fi', NEVER],
  ['if make; then fleet redeploy; fi', NEVER],
  ['if make; then fleet redeploy; make; fi', [2]],
  ['if make; then fleet redeploy; fi || true', ALWAYS],
  ['if fleet redeploy; then exit 0; fi\nexit 1', NEVER],
  ['if fleet redeploy; then make; else failed=1; fi\nexit "${failed:-0}"', NEVER],
  ['{ if fleet redeploy; then make; fi; } || exit 1', ALWAYS],
  ['if make && ! fleet redeploy; then exit 1; fi', NEVER],
  ['for one in a b; do fleet redeploy && exit 0; done\nexit 1', NEVER],
  ['for one in a b; do if fleet redeploy; then break; fi; done', ALWAYS],
  ['roll() { fleet redeploy || exit 1; }\nroll || true', NEVER],
  ['roll() { fleet redeploy || return 1; }\nroll || true', ALWAYS],
  ['roll() { fleet redeploy || exit 1; }\n(roll) || true', ALWAYS],
  ['! fleet redeploy', ALWAYS],
  ['! fleet redeploy\nmake', ALWAYS],
  ['! fleet redeploy && exit 1', NEVER],
  ['! fleet redeploy && make', ALWAYS],
  ['until fleet redeploy; do break; done', ALWAYS],
  ['while fleet redeploy; do make; done', ALWAYS],
  ['for one in a ok; do fleet redeploy $one; done', [2]],
  ['for one in a b; do fleet redeploy; make; done', [2]],
  ['for one in a b; do fleet redeploy || true; done', ALWAYS],
  ['case x in x) fleet redeploy ;; esac', NEVER],
  ['case x in x) fleet redeploy; make ;; esac', [2]],
  ['(fleet redeploy)', NEVER],
  ['(fleet redeploy; make)', [2]],
  ['(fleet redeploy; make) || true', ALWAYS],
  ['{ fleet redeploy; make; } || exit 1', ALWAYS],
  ['roll() { fleet redeploy; }\nroll', NEVER],
  ['roll() {\n  fleet redeploy\n}\nroll || true', ALWAYS],
  ['roll() { fleet redeploy; }\nmake\nroll | tee log', [1, 2, 3]],
  ['sh -c "fleet redeploy"', NEVER],
  ['sh -c "fleet redeploy; make"', ALWAYS],
  ["bash -ec 'fleet redeploy; make'", NEVER],
  ["bash -eo pipefail -c 'fleet redeploy | tee log'", NEVER],
  ["bash -c 'fleet redeploy | tee log'", ALWAYS],
  ["eval 'fleet redeploy; make'", [2]],
  ["trap 'exit 0' EXIT\nfleet redeploy", ALWAYS],
  ["trap 'rm -f x' EXIT\nfleet redeploy", NEVER],
  ['timeout 60 fleet redeploy', NEVER],
  ['find . -name script -exec fleet redeploy \\;', ALWAYS],
];

describe('the verdict is that of the shell itself', () => {
  it.each(CASES)('%j', (script, green) => {
    for (const [at, shell] of SHELLS.entries()) {
      // What only bash can read.
      if (shell === 'sh' && /\|&|<\(|PIPESTATUS|pipefail\n/.test(script)) continue;
      const lost = lossIn(script, shell);
      expect([shell, lost?.text ?? 'kept']).toEqual([
        shell,
        green.includes(at) ? expect.not.stringMatching(/^kept$/) : 'kept',
      ]);
      expect(isGreen(script, shell), `green in ${shell}`).toBe(green.includes(at));
    }
  });
});

describe('so it is for commands within others, in any order', () => {
  const WRAPPED = [
    '@; make',
    'make; @',
    '{ @; } | cat',
    'make | { @; }',
    '{ @; } || true',
    '{ @; } || exit 1',
    '{ @; } && make',
    'make && { @; }',
    '( @ )',
    '{ @; }',
    'if make; then @; fi',
    'if @; then make; fi',
    'out=$( @ )',
    'export out=$( @ )',
    'echo "$( @ )"',
    'f#() { @; }; f#',
    'f#() { @; }; f# || true',
    'set +e; @',
    'set -e; @',
    'set -o pipefail; @',
    'case x in x) @ ;; esac',
    '{ @; } & wait $!',
    '{ @; } & wait',
    'while make; do @; break; done',
    "trap 'make' EXIT; @",
    'if ! make; then make; elif make; then @; fi',
  ];
  it('as bash has it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...WRAPPED), { minLength: 1, maxLength: 4 }),
        fc.nat(2),
        (wraps, which) => {
          const script = wraps.reduce(
            (text, wrap, at) => wrap.replaceAll('#', String(at)).replace('@', () => text),
            'fleet redeploy',
          );
          const shell = ['bash', 'bash -e {0}', 'bash {0}'][which] ?? '';
          expect([script, shell, lossIn(script, shell) !== undefined]).toEqual([
            script,
            shell,
            isGreen(script, shell),
          ]);
        },
      ),
      { numRuns: 100 },
    );
  }, 120_000);
});
