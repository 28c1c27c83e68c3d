import { defineConfig } from 'vitest/config';

// Every test starts processes: a slow machine needs more than the usual five seconds.
export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 60_000 } });
