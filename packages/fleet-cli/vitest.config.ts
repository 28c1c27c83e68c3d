import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Files wait for the processes that they start: two take turns well, also on two cores.
    maxWorkers: 2,
    // A slow machine needs more than the usual five seconds for a process.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
