import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { MAIN_FIELDS, notices } from '../../bundle.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** All but what starts: see tsup.start.ts. */
export default defineConfig({
  entry: { main: 'src/main.ts', guard: 'src/process/guard-program.ts' },
  format: 'esm',
  outExtension: () => ({ js: '.mjs' }),
  target: 'node20',
  clean: true,
  // Everything is bundled: one file is read where a tree of modules would be looked up, and the start is quicker.
  noExternal: [/.*/],
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  esbuildOptions(options) {
    options.mainFields = MAIN_FIELDS;
  },
  esbuildPlugins: [notices],
  define: { FLEET_VERSION: JSON.stringify(version) },
  // Bundled CommonJS parts ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
