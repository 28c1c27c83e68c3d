/** The workspace server, as small as it gets: it says which commit it was built from. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const buildinfo = readFileSync(new URL('buildinfo.json', import.meta.url));

createServer((request, response) => {
  const known = request.url === '/buildinfo';
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
  response.end(known ? buildinfo : '{}');
}).listen(Number(process.env.PORT ?? 8080));
