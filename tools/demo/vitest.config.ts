import { defineConfig } from 'vitest/config';

// Each test starts PostgreSQL and a control plane.
export default defineConfig({ test: { testTimeout: 90_000, hookTimeout: 90_000 } });
