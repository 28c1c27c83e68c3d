// Loaded before a measured program: looks up names under .localhost without a resolver, which no candidate is measured
// by, and leaves what the program used of the machine in the file that BENCH_USAGE names.
import dns from 'node:dns';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { lookup } = dns;
dns.lookup = (host, options, callback) => {
  if (!host.endsWith('.localhost')) return lookup(host, options, callback);
  const done = callback ?? options;
  if (options.all) return process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }]);
  process.nextTick(done, null, '127.0.0.1', 4);
};
syncBuiltinESMExports();
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(
    process.env.BENCH_USAGE,
    JSON.stringify({ mib: maxRSS / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 }),
  );
});
