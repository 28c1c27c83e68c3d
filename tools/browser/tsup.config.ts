import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { browser: 'src/browser.ts' },
  format: 'esm',
  target: 'node20',
  dts: true,
  clean: true,
});
