import { readFileSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** `dist/cli.js`, which loads the rest as it was built by tsup.config.ts. */
export default defineConfig({
  entry: { cli: 'src/cli.ts' },
  format: 'cjs',
  outExtension: () => ({ js: '.js' }),
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  define: { FLEET_VERSION: JSON.stringify(version) },
  esbuildPlugins: [
    {
      name: 'the rest',
      setup(build) {
        build.onResolve({ filter: /^\.\/main\.js$/ }, () => ({ path: './main.mjs', external: true }));
      },
    },
  ],
  // The package itself is of modules.
  onSuccess: async () => writeFileSync('dist/package.json', '{ "type": "commonjs" }\n'),
});
