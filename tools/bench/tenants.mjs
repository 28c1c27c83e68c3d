// A fleet of N loopback tenants in a process of its own; the first K of them stay on another commit.
// usage: node tenants.mjs N K DELAY_MS   prints its port
import { createServer } from 'node:http';

export const TARGET = 'b'.repeat(40);
const OTHER = 'a'.repeat(40);

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [count, stuck, delay] = process.argv.slice(2).map(Number);
  const server = createServer((request, response) => {
    const index = Number(/^\/t(\d+)\/buildinfo$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
    const known = index >= 0 && index < count;
    setTimeout(() => {
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known ? { git_sha: index < stuck ? OTHER : TARGET } : {}));
    }, delay);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  // Ends with whoever started it, however that ends.
  process.stdin.resume().on('end', () => process.exit(0));
}
