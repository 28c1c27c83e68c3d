import { defineConfig } from 'tsup';

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
  esbuildPlugins: [
    {
      name: 'no-locales',
      setup(build) {
        // Schema messages are shown in English only; the other forty languages are a sixth of the bundle.
        build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {}' }));
      },
    },
  ],
});
