import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type FleetResult, resultSchema } from '../../src/index.js';
import { renderHtml } from '../../src/render/index.js';

const tenant = (slug: string, rest: Partial<FleetResult['tenants'][number]> = {}) => ({
  slug,
  status: 'on_target' as const,
  phase: 'batch-1',
  observed_sha: 'a'.repeat(40),
  probes: 2,
  on_target_after_ms: 2000,
  detail: null,
  baseline_sha: null,
  ...rest,
});

const evil = `<script>alert("x")</script><img src=x onerror='y'>&`;

const document_: FleetResult = resultSchema.parse({
  schema: 'fleet-result/1',
  outcome: 'failed',
  deployed: false,
  reason: `reason ${evil}`,
  environment: `env ${evil}`,
  target_tag: `tag ${evil}`,
  expected_sha: `sha ${evil}`,
  started_at: '2026-01-02T03:00:00.000Z',
  finished_at: '2026-01-02T03:00:42.000Z',
  lock: { group: `lock ${evil}`, fencing_token: null, waited_ms: 5000 },
  counts: { enumerated: 2, on_target: 1, stale: 1, unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 },
  tenants: [
    tenant('acme'),
    tenant(`slug ${evil}`, {
      status: 'stale',
      observed_sha: `observed ${evil}`,
      on_target_after_ms: null,
      phase: `phase ${evil}`,
      detail: `detail ${evil}`,
    }),
  ],
  calls: [
    {
      kind: 'roll',
      phase: `phase ${evil}`,
      slugs: [`slug ${evil}`],
      started_at: '2026-01-02T03:00:00.000Z',
      duration_ms: 5,
      http_status: null,
      outcome: 'unknown',
      ok: null,
    },
  ],
  timeline: [
    { at_ms: 0, event: 'wave.started', phase: `wave ${evil}` },
    { at_ms: 0, event: 'tenant.rolled', slug: `slug ${evil}` },
    { at_ms: 9, event: 'tenant.given_up', slug: `slug ${evil}` },
  ],
  actor: `actor ${evil}`,
  run_url: `javascript:alert(1)${evil}`,
  control_plane: `plane ${evil}`,
  tool_version: `tool ${evil}`,
  exit_code: 1,
  warnings: [`warning ${evil}`],
  next: [`next ${evil}`],
  next_commands: [{ why: `why ${evil}`, command: `fleet ${evil}` }],
});

describe('the HTML report', () => {
  const html = renderHtml(document_);
  const [script = ''] = /<script>.*?<\/script>/s.exec(html) ?? [];
  const markup = html.replace(script, '').replace(/<style>.*?<\/style>/s, '');

  it('escapes every text', () => {
    expect(markup).not.toContain('<script');
    expect(markup).not.toContain('<img');
    expect(markup).not.toMatch(/href="(?!#t\d)/);
    for (const field of [
      ...['reason', 'env', 'tag', 'sha', 'lock', 'slug', 'observed', 'phase', 'detail', 'warning', 'next'],
      ...['wave', 'actor', 'plane', 'tool', 'why', 'fleet'],
    ]) {
      expect(markup).toContain(`${field} &lt;script&gt;`);
    }
  });

  it('lets only its own style and script run, and asks for nothing from outside', () => {
    const hash = (tag: string) => {
      const [, text = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(html) ?? [];
      return createHash('sha256').update(text).digest('base64');
    };
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    expect(policy?.replaceAll('&#39;', "'")).toBe(
      `default-src 'none'; style-src 'sha256-${hash('style')}'; script-src 'sha256-${hash('script')}'; base-uri 'none'; form-action 'none'`,
    );
    expect(html.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\b(?:src|style|on\w+)=|@import|url\((?!""|#)/i);
  });

  it('puts the verdict first, then what to do, then the picture, then the tenants that need somebody', () => {
    const places = ['<h1>', '>What to do next<', '>Timeline<', '>Not proven on target<', '>acme</th>'];
    const found = places.map((text) => markup.indexOf(text));
    expect(found.every((place) => place > 0)).toBe(true);
    expect(found).toEqual([...found].sort((one, other) => one - other));
  });

  it('links the page of the run, where its address is one', () => {
    const linked = renderHtml({ ...document_, run_url: 'https://git.example.com/o/r/actions/runs/7' });
    expect(linked).toContain('<a href="https://git.example.com/o/r/actions/runs/7">');
  });

  it('is one well-formed tree', () => {
    const open: string[] = [];
    for (const [tag, closing, name = ''] of markup.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/gi)) {
      if (['meta', 'html', 'input'].includes(name) || tag.endsWith('/>')) continue;
      if (closing) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('draws what an older document tells, which has no timeline', () => {
    const { timeline: _, ...older } = document_;
    expect(renderHtml(older)).not.toContain('>Timeline<');
  });
});

it('lists so many rows that a browser opens the page at once, those that need somebody first', () => {
  const tenants = Array.from({ length: 12_000 }, (_, index) =>
    index % 4 ? tenant(`t${index}`) : tenant(`t${index}`, { status: 'stale', on_target_after_ms: null }),
  );
  const page = renderHtml({ ...document_, tenants });
  const rows = [...page.matchAll(/<tr id="t\d+">/g)].length;
  expect(rows).toBe(5_000);
  expect(page.match(/<table id="open".*?<\/table>/s)?.[0].match(/<tr id="t\d+">/g)).toHaveLength(3_000);
  expect(page).toContain('9000 tenants on target</summary>');
  expect(page).toContain('7000 more tenants on target, not listed here: the report as JSON');
  expect(renderHtml({ ...document_, tenants: tenants.slice(0, 6_000) })).toContain('1000 more tenants');
  expect(renderHtml({ ...document_, tenants: tenants.slice(0, 5_000) })).not.toContain('not listed here');
});
