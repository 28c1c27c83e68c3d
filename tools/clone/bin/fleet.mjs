#!/usr/bin/env node
import { buildAndRun } from './build.mjs';

await buildAndRun('@tenant-fleet/fleet-cli', 'packages/fleet-cli/dist/cli.js');
