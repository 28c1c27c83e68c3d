import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    contract: 'src/contract.ts',
    'config/index': 'src/config/index.ts',
    'render/index': 'src/render/index.ts',
    'documents/index': 'src/result/documents/index.ts',
    program: 'src/program.ts',
    'testing/index': 'src/testing/index.ts',
  },
  format: 'esm',
  target: 'node20',
  define: { PACKAGE_VERSION: JSON.stringify(version) },
  dts: true,
  clean: true,
  sourcemap: true,
});
