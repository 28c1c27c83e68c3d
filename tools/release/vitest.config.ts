import { defineConfig } from 'vitest/config';

// A test installs, builds, packs and pushes a copy of this repository.
export default defineConfig({ test: { testTimeout: 300_000, hookTimeout: 300_000 } });
