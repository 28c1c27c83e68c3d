/** redeploy, plan, verify: configuration, one call of core, output. */
import {
  type FleetEvent,
  type FleetResult,
  type Layers,
  loadConfig,
  outcomeTone,
  renderEvent,
  renderHtml,
  renderResult,
  runFleet,
  systemPorts,
  toneOf,
  usageError,
} from '@tenant-fleet/fleet-core';
import { Terminal } from '../terminal/console.js';
import { confirmRoll } from '../terminal/prompt.js';
import { checkWritable, writeWhole } from '../terminal/report-files.js';
import { interruptible } from '../terminal/signals.js';

export interface OutputFlags {
  json?: boolean;
  color: boolean;
  verbose?: boolean;
  quiet?: boolean;
  yes?: boolean;
  reportJson?: string;
  reportHtml?: string;
}

/** Runs a command to its exit code. @throws FleetError `USAGE` before any request. */
export async function runCommand(
  command: 'redeploy' | 'plan' | 'verify',
  flags: Layers['flags'],
  output: OutputFlags,
): Promise<number> {
  const terminal = new Terminal(output);
  const config = await loadConfig(command, { flags, env: process.env }, systemPorts());
  await checkReports(output);

  return interruptible(terminal, async (signal) => {
    const declined = await confirmRoll(config, output, terminal, signal);
    if (declined) return declined;
    const emit = (event: FleetEvent) => {
      const line = output.quiet ? null : renderEvent(event, output);
      if (line !== null) terminal.line('stderr', line, toneOf(event));
    };
    const result = await runFleet(config, { ports: { emit }, signal });
    await writeReports(result, output, terminal);
    show(result, output, terminal);
    return result.exit_code;
  });
}

/** The closing block, and with `--json` the document: the one thing then on stdout. */
export function show(result: FleetResult, output: OutputFlags, terminal: Terminal): void {
  const [verdict = '', ...rest] = renderResult(result, output);
  const stream = output.json ? 'stderr' : 'stdout';
  terminal.line(stream, verdict, outcomeTone(result.outcome));
  for (const line of rest) terminal.line(stream, line);
  if (output.json) terminal.line('stdout', JSON.stringify(result, null, 2));
}

async function checkReports({ reportJson, reportHtml }: OutputFlags): Promise<void> {
  if (reportJson !== undefined) await checkWritable('--report-json', reportJson);
  if (reportHtml !== undefined) await checkWritable('--report-html', reportHtml);
  if (reportJson !== undefined && reportJson === reportHtml) {
    throw usageError('--report-html: names the same file as --report-json', { option: '--report-html' });
  }
}

/** A report that cannot be written is said aloud; it does not change what happened to the fleet. */
async function writeReports(result: FleetResult, output: OutputFlags, terminal: Terminal): Promise<void> {
  const { reportJson, reportHtml } = output;
  const files: [string, string | undefined, () => string][] = [
    ['--report-json', reportJson, () => `${JSON.stringify(result, null, 2)}\n`],
    ['--report-html', reportHtml, () => renderHtml(result)],
  ];
  for (const [option, path, content] of files) {
    if (path === undefined) continue;
    await writeWhole(path, content()).catch((error: NodeJS.ErrnoException) => {
      terminal.error(`${option}: ${path} was not written (${error.code ?? 'unknown reason'})`);
    });
  }
}
