// The floor: the same questions by a bare client, each on a connection of its own, 64 at once, no judgement.
// usage: node bare-loop.mjs undici|https URL_TEMPLATE EXPECTED_SHA N
import { get } from 'node:https';

const [client, template, expected, count] = process.argv.slice(2);
const urlOf = (index) => `${template.replace('{slug}', `t${index}`)}/buildinfo`;

async function askerOf() {
  if (client === 'https') {
    return (url) =>
      new Promise((resolve, reject) => {
        get(url, { agent: false }, async (answer) => {
          const chunks = [];
          for await (const chunk of answer) chunks.push(chunk);
          resolve(Buffer.concat(chunks).toString());
        }).on('error', reject);
      });
  }
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ pipelining: 0 });
  return async (url) => (await request(url, { dispatcher })).body.text();
}

const ask = await askerOf();
let [next, right] = [0, 0];
const worker = async () => {
  while (next < Number(count)) if (JSON.parse(await ask(urlOf(next++))).git_sha === expected) right++;
};
await Promise.all(Array.from({ length: 64 }, worker));
process.exitCode = right === Number(count) ? 0 : 1;
