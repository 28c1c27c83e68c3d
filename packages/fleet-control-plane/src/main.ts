#!/usr/bin/env node
import { openApiDocument, startControlPlane } from './index.js';
import { forgetSecrets } from './program/environment.js';
import { parseArguments } from './program/options.js';
import { runPrune, runRestore, runUntilStopped } from './program/run.js';

const parsed = await parseArguments(process.argv.slice(2), process.env);
if (parsed.kind === 'exit') {
  process.exitCode = parsed.code;
} else if (parsed.kind === 'openapi') {
  process.stdout.write(`${JSON.stringify(await openApiDocument(), null, 2)}\n`);
} else if (parsed.kind === 'print') {
  process.stdout.write(parsed.text);
} else if (parsed.kind === 'restore') {
  await runRestore(parsed.settings);
} else if (parsed.kind === 'prune') {
  await runPrune(parsed.settings);
} else {
  if (!parsed.settings.options.databaseUrl) forgetSecrets(process.env);
  await runUntilStopped(parsed.settings, startControlPlane);
}
