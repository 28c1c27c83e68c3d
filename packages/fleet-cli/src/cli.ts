#!/usr/bin/env node
declare const FLEET_VERSION: string;

const [first, ...rest] = process.argv.slice(2);
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${FLEET_VERSION}\n`);
} else {
  // Loaded only here, so that asking for the version costs no more than starting Node.
  const { main } = await import('./main.js');
  process.exitCode = await main(process.argv.slice(2), FLEET_VERSION);
}
