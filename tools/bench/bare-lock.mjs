// A queue over HTTP with one durable commit for each arrival and each release, and nothing else: no rules, no record of
// who holds, no second replica, no restart. What a lock on this machine cannot be faster than.
//   node bare-lock.mjs DATABASE_URL   prints its URL; ends with its standard input
import { createServer } from 'node:http';
import pg from 'pg';

const client = await connect();
const commit = () => client.query({ name: 'write', text: 'UPDATE bench_row SET n = n + 1 WHERE id = 1' });
const queue = [];
let held = false;
let token = 0;
let turn = Promise.resolve();

async function connect() {
  const connection = new pg.Client({ connectionString: process.argv[2] });
  await connection.connect();
  return connection;
}

function grant(response) {
  held = true;
  token += 1;
  answer(response, { state: 'held', fencing_token: token });
}

function answer(response, body) {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    turn = turn.then(async () => {
      await commit();
      if (request.method === 'PUT') {
        if (held) queue.push(response);
        else grant(response);
        return;
      }
      held = false;
      const next = queue.shift();
      if (next) grant(next);
      answer(response, { state: 'released', already: false });
    });
  });
});
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })),
);
process.stdin.resume().on('end', async () => {
  server.closeAllConnections();
  server.close();
  await client.end();
});
