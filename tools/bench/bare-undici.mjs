// The floor: the same questions with bare undici, all at once, no judgement.
// usage: node bare-undici.mjs URL_PREFIX EXPECTED_SHA SLUG...
import { request } from 'undici';

const [prefix, expected, ...slugs] = process.argv.slice(2);
const answers = await Promise.all(
  slugs.map(async (slug) => {
    const { body } = await request(`${prefix}/${slug}/buildinfo`);
    return (await body.json()).git_sha === expected;
  }),
);
process.exitCode = answers.every(Boolean) ? 0 : 1;
