// Draws docs/performance-growth.svg off the table of docs/performance.md, and docs/performance-lag.svg off the simulation.
// usage: node tools/bench/plots.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { bestLags, draw, shellLag, shellProbes } from './flips.mjs';
import { LEARNING, lagOf } from './lag.mjs';
import { here, sum } from './measure.mjs';
import { seeded } from './random.mjs';

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [640, 360, 64, 40, 48];
const COLOURS = ['#0969da', '#8250df', '#cf222e', '#1a7f37'];

/** A plot of lines; scales are logarithmic. */
function plot(file, { title, x, y, legendAt = LEFT + 14, series }) {
  const points = series.flatMap((one) => one.points);
  const scale = (axis, from, to) => {
    const logs = points.map((point) => Math.log10(point[axis]));
    const [least, most] = [Math.min(...logs), Math.max(...logs)];
    const at = (value) => from + ((Math.log10(value) - least) / (most - least)) * (to - from);
    return { at, least, most };
  };
  const [across, up] = [scale(0, LEFT, WIDTH - 24), scale(1, HEIGHT - BOTTOM, TOP)];
  const place = ([a, b]) => `${across.at(a).toFixed(1)},${up.at(b).toFixed(1)}`;
  const ticks = ({ least, most }) => {
    const all = Array.from({ length: 14 }, (_, power) =>
      [1, 2, 5].map((step) => step * 10 ** (power - 3)),
    ).flat();
    return all.filter((one) => Math.log10(one) >= least - 1e-9 && Math.log10(one) <= most + 1e-9);
  };
  const text = (where, words, more = '') =>
    `<text x="${where[0].toFixed(1)}" y="${where[1].toFixed(1)}" ${more}>${words}</text>`;
  const lines = [
    text([LEFT, 20], title, 'font-weight="bold"'),
    text([WIDTH / 2, HEIGHT - 8], x, 'text-anchor="middle"'),
    text([8, TOP - 6], y),
    ...ticks(across).map((one) =>
      text([across.at(one), HEIGHT - BOTTOM + 16], one.toLocaleString('en'), 'text-anchor="middle"'),
    ),
    ...ticks(up).map(
      (one) =>
        `<path d="M${LEFT} ${up.at(one).toFixed(1)}H${WIDTH - 24}" stroke="#8885" fill="none"/>${text([LEFT - 6, up.at(one) + 4], one.toLocaleString('en'), 'text-anchor="end"')}`,
    ),
    ...series.map(({ name, points: own }, index) => {
      const colour = COLOURS[index];
      const dots = own.map(
        (one) => `<circle cx="${place(one).split(',')[0]}" cy="${place(one).split(',')[1]}" r="3"/>`,
      );
      const line =
        own.length > 1
          ? `<polyline points="${own.map(place).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`
          : '';
      const legend = text([legendAt, TOP + 18 + index * 18], name, `fill="${colour}"`);
      return `<g fill="${colour}">${line}${dots.join('')}</g>${legend}`;
    }),
  ];
  writeFileSync(
    here(`../../docs/${file}`),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}" font-family="system-ui, sans-serif" font-size="12" fill="#57606a">\n<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>\n${lines.join('\n')}\n</svg>\n`,
  );
  console.log(`docs/${file}: drawn`);
}

const seconds = (cell) => Number.parseFloat(cell) / (cell.endsWith('ms') ? 1000 : 1);

/** Rows of the table of docs/performance.md that follows a heading. */
function rowsBelow(heading) {
  const after = readFileSync(here('../../docs/performance.md'), 'utf8').split(`### ${heading}`)[1];
  const table = after.split('\n').filter((line) => line.startsWith('|'));
  const rows = table.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.slice(0, rows.findIndex(([first]) => !/^[\d,]+$/.test(first)) >>> 0);
}

function growth() {
  const rows = rowsBelow('HTTP, against a bare undici loop');
  const of = (column) => rows.map((row) => [Number(row[0].replaceAll(',', '')), seconds(row[column])]);
  plot('performance-growth.svg', {
    title: 'Time of a verification of N tenants',
    x: 'tenants',
    y: 'seconds',
    series: [
      { name: 'fleet verify', points: of(1) },
      { name: 'bare undici loop', points: of(2) },
      {
        name: 'fleet verify before (processor time)',
        points: [
          [1_000, 1.9],
          [10_000, 26],
          [20_000, 76],
        ],
      },
    ],
  });
}

function lag() {
  const law = { medianS: 40, sigma: 0.6, shared: 0 };
  const mean = (list) => sum(list) / list.length;
  const rollouts = draw({ ...law, rollouts: 100 + LEARNING, tenants: 30, seed: 7 }).slice(LEARNING);
  const flips = rollouts.flatMap((one) => one.flips);
  const budgets = [2.5, 3, 4, 5, 6, 8, 10, 14];
  const { asked, lags } = lagOf({ ...law, count: 100 });
  plot('performance-lag.svg', {
    title: 'Mean delay until a flip is noticed (log-normal flips, median 40 s, sigma 0.6)',
    x: 'questions a tenant',
    y: 'seconds',
    legendAt: WIDTH / 2 + 60,
    series: [
      { name: 'fleet, which learns the law', points: [[asked, mean(lags)]] },
      {
        name: 'best schedule that knows the law',
        points: budgets.map((one) => [one, mean(bestLags(rollouts, one, seeded(11)))]),
      },
      { name: 'shell loop, every 20 s', points: [[mean(flips.map(shellProbes)), mean(flips.map(shellLag))]] },
      {
        name: 'every 5 to 60 s',
        points: [60, 40, 20, 10, 5].map((grid) => [
          mean(flips.map((flip) => Math.ceil(flip / grid) + 1)),
          grid / 2,
        ]),
      },
    ],
  });
}

growth();
lag();
