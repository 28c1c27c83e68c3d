import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { defineConfig } from 'tsup';
import { MAIN_FIELDS, notices } from '../../bundle.mjs';

const core = createRequire(new URL('../fleet-core/package.json', import.meta.url));

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig({
  entry: { main: 'src/main.ts', post: 'src/post.ts' },
  // A runner copies the action anywhere: `.cjs` means the same to every Node, whatever package.json is near.
  format: 'cjs',
  target: 'node20',
  clean: true,
  noExternal: [/.*/],
  splitting: false,
  minifySyntax: true,
  minifyWhitespace: true,
  define: { FLEET_VERSION: JSON.stringify(version) },
  esbuildOptions(options) {
    options.mainFields = MAIN_FIELDS;
    // The client of @actions/core brings an undici of its own; one copy is enough, and is the one that is tested here.
    options.alias = { undici: core.resolve('undici') };
  },
  esbuildPlugins: [notices],
});
