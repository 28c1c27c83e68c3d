import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { release: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  clean: true,
  sourcemap: true,
});
