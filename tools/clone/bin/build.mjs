/** Builds a package of this clone with all that it needs, and loads a file of it into this process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
/** A build that is there already is told of within this. */
const SLOW_MS = 2_000;

export async function buildAndRun(name, file) {
  const turbo = createRequire(root).resolve('turbo/bin/turbo');
  const args = ['run', 'build', `--filter=${name}`, '--output-logs=errors-only', '--log-prefix=none'];
  const build = spawn(process.execPath, [turbo, ...args], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  });
  const slow = setTimeout(() => process.stderr.write('Building it first ...\n'), SLOW_MS);
  let output = '';
  for (const stream of [build.stdout, build.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const [status] = await once(build, 'close');
  clearTimeout(slow);
  if (status !== 0) {
    // What the command itself prints on stdout may be a document.
    process.stderr.write(output);
    process.exit(status ?? 1);
  }
  await import(new URL(file, root));
}
