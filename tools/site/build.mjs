/**
 * Builds the documentation into `tools/site/dist`: the Markdown of this repository as it is, with links that lead within
 * the site or to the files of the repository.
 *
 *   node tools/site/build.mjs
 *
 * Ends with 1 and a line for each link that leads nowhere. Turbo caches nothing of it: what it reads is the whole repository.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Eleventy from '@11ty/eleventy';
import anchor from 'markdown-it-anchor';
import { API, apiOf } from './api.mjs';
import { deadLinks, linkOnSite } from './links.mjs';
import { PAGES, SECTIONS } from './pages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = fileURLToPath(new URL('dist', import.meta.url));
process.chdir(fileURLToPath(new URL('.', import.meta.url)));
rmSync(output, { recursive: true, force: true });

const api = await apiOf();
const site = new Eleventy('layout', output, { quietMode: true, configPath: false, config: configure });
await site.write();
writeFileSync(join(output, 'api/openapi.json'), JSON.stringify(api.document, null, 2));
const dead = deadLinks(output);
for (const link of dead) console.log(`leads nowhere: ${link}`);
if (dead.length) process.exitCode = 1;
else console.log(`${PAGES.length} pages, every link leads somewhere: ${output}`);

function configure(eleventy) {
  eleventy.setTemplateFormats(['njk', 'md']);
  eleventy.addGlobalData('sections', SECTIONS);
  eleventy.addPassthroughCopy({ 'layout/style.css': 'style.css' });
  for (const picture of readdirSync(join(root, 'docs')).filter((name) => /\.(?:svg|png)$/.test(name)))
    eleventy.addPassthroughCopy({ [join(root, 'docs', picture)]: `pictures/${picture}` });
  let library;
  eleventy.addFilter('markdown', (text) => library.render(text, { source: API }));
  eleventy.amendLibrary('md', (markdown) => {
    library = markdown;
    markdown.use(anchor, { slugify: slugOf });
    markdown.core.ruler.push('links', ({ tokens, env }) => {
      for (const token of tokens.flatMap(({ children }) => children ?? [])) {
        const name = token.type === 'image' ? 'src' : 'href';
        const link = token.attrGet(name);
        if (link) token.attrSet(name, linkOnSite(root, env.source, link));
      }
    });
  });
  const template = readFileSync('api.njk', 'utf8');
  const page = { source: API, title: 'Calls of the control plane', layout: 'page.njk' };
  eleventy.addTemplate('api.njk', template, { ...page, ...api, permalink: '/api/index.html' });
  for (const [source, address] of PAGES.filter(([source]) => source !== API)) {
    const text = readFileSync(join(root, source), 'utf8');
    eleventy.addTemplate(source.replaceAll('/', '-'), text, {
      source,
      title: /^# (.*)$/m.exec(text)?.[1] ?? source,
      layout: 'page.njk',
      permalink: `/${address}index.html`,
      eleventyExcludeFromCollections: true,
      // Workflows in the text have braces that are no template of the site.
      templateEngineOverride: 'md',
    });
  }
}

/** As Gitea and GitHub name the place of a heading. */
function slugOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
