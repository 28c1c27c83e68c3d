import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { faults: 'src/faults.ts' },
  format: 'esm',
  target: 'node20',
  clean: true,
  sourcemap: true,
});
