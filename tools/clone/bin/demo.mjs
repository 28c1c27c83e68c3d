#!/usr/bin/env node
import { buildAndRun } from './build.mjs';

await buildAndRun('@tenant-fleet/fleet-demo', 'tools/demo/dist/demo.js');
