/** Where the links of a page lead on the site; and whether each of them leads anywhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { PAGES } from './pages.mjs';

const REPOSITORY = 'https://git.example.com/tenant-fleet/fleet';
const FILES = `${REPOSITORY}/src/branch/main/`;
const addresses = new Map(PAGES.map(([source, address]) => [source, address]));

/**
 * @param root Folder of the repository.
 * @param source File that has the link, below it.
 * @returns The link as the site has it. @throws where it leads nowhere.
 */
export function linkOnSite(root, source, link) {
  const [path, anchor] = pathOf(source, link);
  if (path === null) return link;
  const readme = posix.join(path, 'README.md');
  const address = addresses.get(path) ?? addresses.get(readme);
  if (address !== undefined) return `/${address}${anchor}`;
  if (!existsSync(join(root, path))) throw new Error(`${source}: ${link} leads nowhere`);
  if (/\.(?:svg|png)$/.test(path)) return `/pictures/${posix.basename(path)}`;
  return `${FILES}${path}${anchor}`;
}

/** The file of the repository that a link names, and its anchor; null for any other address. */
function pathOf(source, link) {
  const [, target, anchor] = /^([^#]*)(#.*)?$/.exec(link);
  if (target.startsWith(FILES)) return [target.slice(FILES.length), anchor ?? ''];
  if (!target || /^[a-z]+:/.test(target)) return [null, ''];
  return [posix.normalize(posix.join(dirname(source), target)).replace(/\/$/, ''), anchor ?? ''];
}

/** Links of the built pages that lead to no page, or to no place on it. */
export function deadLinks(folder) {
  const pages = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('index.html'))
      .map((file) => {
        const html = readFileSync(join(folder, file), 'utf8');
        const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
        const links = [...html.matchAll(/ (?:href|src)="([^"]+)"/g)].map(([, link]) => link);
        return [`/${file.replace(/index\.html$/, '')}`, { ids, links }];
      }),
  );
  return [...pages].flatMap(([page, { links }]) =>
    links
      .filter((link) => !/^(?:[a-z]+:|data:)/.test(link))
      .filter((link) => {
        const { pathname, hash } = new URL(link, `http://site${page}`);
        const there = pages.get(pathname);
        if (!there)
          return !existsSync(join(folder, pathname)) || statSync(join(folder, pathname)).isDirectory();
        return hash !== '' && !there.ids.has(decodeURIComponent(hash.slice(1)));
      })
      .map((link) => `${page}: ${link}`),
  );
}
