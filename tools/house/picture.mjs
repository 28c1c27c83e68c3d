/**
 * Draws docs/architecture.svg: the rooms of the packages and what each needs, as the code has it today.
 *
 *   node tools/house/picture.mjs [--write]
 *
 * Ends with 1 where the picture shows another house; --write draws it anew. An arrow that follows from others is left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { cruise } from 'dependency-cruiser';
import config from '../../.dependency-cruiser.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PICTURE = 'docs/architecture.svg';
const { write } = parseArgs({ options: { write: { type: 'boolean', default: false } } }).values;

const room = (path) => /^packages\/([^/]+)\/src\/([^/.]+)/.exec(path)?.slice(1).join('/');
const needs = new Map();
const packages = new Map();
process.chdir(root);
const { output } = await cruise(['packages'], {
  ...config.options,
  exclude: { path: '/(?:test|act)/' },
});
for (const { source, dependencies } of output.modules) {
  const from = room(source);
  if (!from) continue;
  const [name] = from.split('/');
  if (!needs.has(from)) needs.set(from, new Set());
  if (!packages.has(name)) packages.set(name, new Set());
  for (const { resolved } of dependencies) {
    const to = room(resolved);
    const other = /^packages\/([^/]+)\/dist\//.exec(resolved)?.[1];
    if (to && to !== from) needs.get(from).add(to);
    if (other && other !== name) packages.get(name).add(other);
  }
}

/** Leaves out what is reached over others as well. */
function direct(graph) {
  const reaches = (from, to, seen = new Set()) =>
    [...(graph.get(from) ?? [])].some(
      (next) => next === to || (!seen.has(next) && seen.add(next) && reaches(next, to, seen)),
    );
  return [...graph].sort().flatMap(([from, all]) =>
    [...all]
      .sort()
      .filter((to) => ![...all].some((next) => next !== to && reaches(next, to)))
      .map((to) => [from, to]),
  );
}

const clusters = [...packages.keys()].sort().map((name) => {
  const rooms = [...needs.keys()].filter((one) => one.startsWith(`${name}/`)).sort();
  const nodes = rooms.map((one) => `"${one}" [label="${one.split('/')[1]}"]`);
  return `subgraph "cluster_${name}" { label="${name}"; "${name}" [shape=point,style=invis]; ${nodes.join('; ')} }`;
});
const arrows = direct(needs).map(([from, to]) => `"${from}" -> "${to}"`);
const between = direct(packages).map(
  ([from, to]) => `"${from}" -> "${to}" [ltail="cluster_${from}",lhead="cluster_${to}",style=dashed]`,
);
const dot = `digraph "The rooms of fleet" { compound=true; rankdir=TB; ranksep=0.35; nodesep=0.15; fontname=Helvetica;
  node [shape=box,style="rounded,filled",fillcolor="#f4f6fa",color="#8a94a6",fontname=Helvetica,fontsize=11,height=0.3];
  edge [color="#6b7485",arrowsize=0.6]; graph [style="rounded",color="#c3cad6",bgcolor=white];
  ${[...clusters, ...arrows, ...between].join('\n  ')} }`;
const svg = (await Graphviz.load()).dot(dot);

const path = join(root, PICTURE);
if (write) {
  writeFileSync(path, svg);
  console.log(`${PICTURE}: drawn`);
} else if (readFileSync(path, 'utf8') !== svg) {
  console.log(
    `${PICTURE} shows another house than the code. Draw it anew: node tools/house/picture.mjs --write`,
  );
  process.exit(1);
}
