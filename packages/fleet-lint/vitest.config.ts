import { defineConfig } from 'vitest/config';

// The library keeps no state of its own, so test files share their modules: loading them once halves the time.
export default defineConfig({ test: { setupFiles: ['test/seed.ts'], isolate: false, maxWorkers: 2 } });
