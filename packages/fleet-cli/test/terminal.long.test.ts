/** What a person sees and types at a real terminal. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Tmux } from './tmux.js';
import { World } from './world.js';

let world: World;
let terminal: Tmux;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.plane.close());
afterEach(() => terminal.end());

const NAMES = 'acme birch cobalt dunes ember fjord'.split(' ');
const slow = { roll_ms: 300, drain_ms: 900 };
const fleetOf = (broken: string[] = []) =>
  world.setFleet(
    Object.fromEntries(
      NAMES.map((name) => [name, { ...slow, ...(broken.includes(name) ? { behaviour: 'stuck' } : {}) }]),
    ),
  );
const redeploy = (...more: string[]) => [
  ...[
    'redeploy',
    '--yes',
    '--lock-group',
    'staging',
    '--lock-ttl',
    '6s',
    '--canary',
    'acme',
    '--soak',
    '1500ms',
  ],
  ...world.args('--batch-size', '2', '--settle-budget', '3s', ...more),
];
const open = (columns = 80, rows = 24, env: Record<string, string> = {}) => {
  terminal = new Tmux(columns, rows, env);
  return terminal;
};
const ended = /exit \d+/;
/** The screen as every frame showed it. */
const watched = async () => {
  const frames: string[][] = [];
  await terminal.until(ended, (screen) => frames.push(screen));
  return frames;
};

describe.each([
  [80, 24],
  [40, 24],
])('at %i columns', (columns, rows) => {
  test('a roll is drawn on one screen, and ends in its verdict', async () => {
    await fleetOf(['fjord']);
    open(columns, rows).fleet(redeploy());
    const frames = await watched();
    const all = frames.map((frame) => frame.join('\n'));
    expect(all.some((text) => /watching canary acme, 0:0\d, 0:0\d left/.test(text))).toBe(true);
    expect(
      all.some((text) => /▶ batch-1 .*\d\/2 (?:rolling|verifying)/.test(text) && /✓ canary/.test(text)),
    ).toBe(true);
    // Drawn anew, not below: there is one header and one line of a wave on each screen.
    for (const text of all) {
      expect(text.match(/^Rolling/gm)?.length ?? 0).toBeLessThanOrEqual(1);
      expect(text.match(/^. batch-1 /gm)?.length ?? 0).toBeLessThanOrEqual(1);
    }
    const last = terminal.screen('-S', '-').join('\n');
    expect(last).toMatch(/✕ fjord: stale/);
    expect(last).toMatch(/FAILED: [\s\S]*exit 1/);
    expect(terminal.hasCursor).toBe(true);
  });

  test('a look that goes on is drawn in place', async () => {
    await fleetOf();
    open(columns, rows).fleet([
      'status',
      '--watch',
      '--lock-group',
      'staging',
      '--control-plane',
      world.plane.url,
      '--tenant-url',
      world.plane.tenantUrlTemplate,
    ]);
    await terminal.until(/Queue: empty[\s\S]*Next/);
    await world.call('POST', `${world.lock('staging')}/freeze`, { reason: 'a test', actor: 'ann' });
    const screen = (await terminal.until(/Frozen/)).join('\n');
    await world.call('POST', `${world.lock('staging')}/unfreeze`, { reason: 'over', actor: 'ann' });
    expect(screen.match(/Last proven/g)?.length).toBe(1);
    terminal.type('C-c');
    await terminal.until(/exit 130/);
  });
});

test('a look at the lock that goes on is drawn in place', async () => {
  open().fleet(['lock', 'status', '--watch', '--lock-group', 'staging', '--control-plane', world.plane.url]);
  await terminal.until(/Lock staging: free/);
  await world.call('POST', `${world.lock('staging')}/freeze`, { reason: 'a test', actor: 'ann' });
  const screen = (await terminal.until(/FROZEN/)).join('\n');
  await world.call('POST', `${world.lock('staging')}/unfreeze`, { reason: 'over', actor: 'ann' });
  expect(screen.match(/Lock staging/g)?.length).toBe(1);
  terminal.type('C-c');
  await terminal.until(/exit 130/);
});

describe('keys', () => {
  test('s ends the roll after this wave', async () => {
    await fleetOf();
    open().fleet(redeploy());
    await terminal.until(/▶ batch-1/);
    terminal.type('s');
    await terminal.until(/stops after this wave/);
    await terminal.until(/HELD: [\s\S]*stopped between two waves[\s\S]*exit 4/);
    const rolled = (await world.rolls()).flatMap(({ slugs }) => slugs);
    expect(rolled.slice(-3)).toEqual(['acme', 'birch', 'cobalt']);
  });

  test('a shows every change, also those from before', async () => {
    await fleetOf();
    open(80, 40).fleet(redeploy());
    await terminal.until(/▶ batch-1/);
    expect(terminal.screen().join('\n')).not.toContain('plan: ');
    terminal.type('a');
    await terminal.until(/plan: 6 tenants[\s\S]*canary: proven[\s\S]*Rolling the fleet/);
    await terminal.until(/exit 0/);
  });

  test('Ctrl-C ends it in order, and gives the terminal back as it was', async () => {
    await fleetOf();
    open(80, 60).fleet(redeploy());
    await terminal.until(/▶ batch-1/);
    terminal.type('C-c');
    await terminal.until(/INTERRUPTED: [\s\S]*exit 130/);
    expect(terminal.hasCursor).toBe(true);
    terminal.type('clear; stty -a', 'Enter');
    const settings = (await terminal.until(/icanon/)).join(' ');
    expect(settings).not.toMatch(/-icanon|-echo |-isig/);
  });
});

describe('what is no screen gets lines', () => {
  test.each([
    ['behind a pipe', ' 2>&1 | cat; echo "exit $?"', {}],
    ['at a dumb terminal', undefined, { TERM: 'dumb' }],
    ['in CI', undefined, { CI: 'true' }],
    ['in the background', ' & wait $!; echo "exit $?"', {}],
  ])('%s', async (_, behind, env) => {
    await fleetOf();
    open(80, 60, env).fleet(redeploy(), behind);
    const text = (await terminal.until(ended)).join('\n');
    expect(text).toMatch(/canary: proven[\s\S]*batch-1 \(2\/4\): rolling[\s\S]*DEPLOYED[\s\S]*exit 0/);
    expect(text).not.toContain('▶');
  });

  test('NO_COLOR takes the colours, a locale without UTF-8 the signs', async () => {
    await fleetOf();
    open(80, 24, { NO_COLOR: '1', LC_ALL: 'C' }).fleet(redeploy());
    const frames: string[] = [];
    await terminal.until(ended, () => frames.push(terminal.screen('-e').join('\n')));
    expect(frames.some((frame) => /> batch-1 [#-]+ \d\/2/.test(frame))).toBe(true);
    for (const frame of frames) expect(frame).not.toMatch(/[^\x00-\x7f]|\x1b\[(?:3|9)\d/);
  });
});
