import type { ControlPlane, ControlPlaneOptions } from '../control-plane.js';
import { jsonLogger, operatorLine } from '../operation/logger.js';
import type { Settings } from './options.js';
import { type PruneSettings, prune } from './prune.js';
import { type RestoreSettings, restoreCheck } from './restore-check.js';

/** Starts, says so, and stops at a signal, at the end of standard input or of the parent; a second signal exits. */
export async function runUntilStopped(
  { options, json, logLevel, stdin, parentPid }: Settings,
  start: (options: ControlPlaneOptions) => Promise<ControlPlane>,
): Promise<void> {
  const logger = logLevel && jsonLogger(logLevel);
  const log = (line: string) =>
    logger ? operatorLine(logger, line) : process.stderr.write(`fleet-control-plane: ${line}\n`);
  let stop: (code: number) => void = () => {};
  const stopped = new Promise<number>((resolve) => {
    stop = resolve;
  });
  let signals = 0;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(code);
      stop(0);
    });
  }
  if (stdin)
    process.stdin
      .on('end', () => stop(0))
      .on('error', () => stop(0))
      .resume();
  const watch = parentPid === undefined ? undefined : setInterval(() => !runs(parentPid) && stop(0), 500);

  let plane: ControlPlane;
  try {
    plane = await start({ ...options, log, ...(logger && { logger }) });
  } catch (error) {
    log(`cannot start: ${explain(error)}`);
    process.exitCode = 1;
    process.stdin.destroy();
    clearInterval(watch);
    return;
  }
  process.stdout.write(`${json ? readyJson(plane, options) : readyText(plane, options)}\n`);
  plane.steppingDown.addEventListener('abort', () => stop(0));
  if (plane.steppingDown.aborted) stop(0);
  process.exitCode = await stopped;
  clearInterval(watch);
  process.stdin.destroy();
  await plane.close();
  logger?.info('stopped');
  // Whatever still holds the event loop is not worth waiting for once all is closed.
  process.exit();
}

/** Raises the tokens of a restored database, and says so. */
export async function runRestore(settings: RestoreSettings): Promise<void> {
  try {
    const groups = await restoreCheck(settings);
    const of = groups.length === 0 ? 'no lock group' : groups.join(', ');
    process.stdout.write(`Tokens raised above all that may have been granted since the backup: ${of}.\n`);
  } catch (error) {
    process.stderr.write(`fleet-control-plane: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}

/** Takes away what is old, and says how much. */
export async function runPrune(settings: PruneSettings): Promise<void> {
  try {
    const { events, claims, rollouts, serverRollouts, rolls } = await prune(settings);
    process.stdout.write(
      `Taken away: ${events} rows of the audit log (now in ${settings.export}), ${claims} claims, ${rollouts} rollouts, ${serverRollouts} rollouts that the server ran, ${rolls} rolls.\n`,
    );
  } catch (error) {
    process.stderr.write(`fleet-control-plane: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const readyJson = (plane: ControlPlane, options: ControlPlaneOptions) =>
  JSON.stringify({
    ready: true,
    url: plane.url,
    ...(plane.tenantUrlTemplate && { tenant_url: plane.tenantUrlTemplate }),
    lock_group: options.lockGroup,
    pid: process.pid,
  });

const readyText = (plane: ControlPlane, options: ControlPlaneOptions) =>
  [
    `Control plane   ${plane.url}`,
    ...(plane.tenantUrlTemplate ? [`Tenants         ${plane.tenantUrlTemplate}/buildinfo`] : []),
    ...(options.upstream ? [`Upstream        ${options.upstream.url}`] : []),
    `Database        ${plane.database ? 'embedded PostgreSQL' : 'given by URL'}`,
    options.legacy ? 'Lock            none (legacy)' : `Lock group      ${options.lockGroup}`,
  ].join('\n');

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE')
    return `the port is taken (${error.message}). Choose another with --port or --tenant-port.`;
  if (code === 'ECONNREFUSED')
    return 'the database refuses connections. Check --database-url or DATABASE_URL.';
  return error.message || code;
}
