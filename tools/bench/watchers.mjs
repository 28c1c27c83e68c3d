// Polls the status of a lock, so many times at once, as one client that watches it.
//   node watchers.mjs URL TOKEN COUNT   prints a line when all wait; ends with its standard input
import { Agent, request } from 'undici';

const [url, token, count] = process.argv.slice(2);
const dispatcher = new Agent({ connections: Number(count) });
const ask = async (query) => {
  const answer = await request(url + query, { dispatcher, headers: { authorization: `Bearer ${token}` } });
  return (await answer.body.json()).version;
};

let version = await ask('');
async function watch() {
  for (;;) version = await ask(`?after_version=${version}&wait_seconds=25`);
}
for (let index = 0; index < Number(count); index++) watch();
setTimeout(() => console.log('all wait'), 3000);
process.stdin.resume().on('end', () => process.exit());
