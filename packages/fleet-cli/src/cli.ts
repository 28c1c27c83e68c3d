#!/usr/bin/env node
/**
 * What starts: a CommonJS file, since Node takes a third of its own start more for a module. The version costs no more
 * than starting Node, and an old Node never meets what it cannot read: all else is loaded only where it is needed.
 */
import { outliveStreams } from './terminal/streams.js';

declare const FLEET_VERSION: string;

const [first, ...rest] = process.argv.slice(2);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
outliveStreams();
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: fleet needs Node 20.19 or newer, and this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else if (rest.length === 0 && (first === '--version' || first === '-V' || first === 'version')) {
  process.stdout.write(`${FLEET_VERSION}\n`);
} else void run();

async function run(): Promise<void> {
  const { main } = await import('./main.js');
  process.exitCode = await main(process.argv.slice(2), FLEET_VERSION);
}
