import { defineConfig } from 'vitest/config';

// The step is run as a process against a real control plane.
export default defineConfig({ test: { maxWorkers: 2, testTimeout: 60_000, hookTimeout: 60_000 } });
