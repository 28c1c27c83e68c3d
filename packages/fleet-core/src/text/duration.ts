/** Milliseconds as people say them: `850ms`, `12s`, `4m 10s`, `1h 5m`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${ms < 10_000 ? (ms / 1000).toFixed(1).replace(/\.0$/, '') : seconds}s`;
  const [hours, minutes, rest] = [
    Math.floor(seconds / 3600),
    Math.floor((seconds % 3600) / 60),
    seconds % 60,
  ];
  if (hours) return minutes ? `${hours}h ${minutes}m` : `${hours}h`;
  return rest ? `${minutes}m ${rest}s` : `${minutes}m`;
}
