import { defineConfig } from 'vitest/config';

// One after the other: each test runs whole workflows, with a control plane and its PostgreSQL.
export default defineConfig({
  test: { include: ['act/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false },
});
