import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { run: 'model/run.ts' },
  outDir: 'model/dist',
  format: 'esm',
  target: 'node20',
  clean: true,
});
