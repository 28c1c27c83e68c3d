import { expect, it } from 'vitest';
import { type ConformanceReport, renderCase, renderConformance, renderJunit } from '../src/index.js';

const CASE = { duration_ms: 12, detail: null, loses: null };
const REPORT: ConformanceReport = {
  schema: 'fleet-conformance/1',
  url: 'https://cp.example.com',
  mode: 'safe',
  features: [],
  conforms: false,
  counts: { passed: 1, missed: 1, skipped: 1 },
  duration_ms: 1500,
  cases: [
    { ...CASE, id: '4.01', title: 'A claim is granted', status: 'passed' },
    {
      ...CASE,
      id: '4.03',
      title: 'It keeps "it"',
      status: 'missed',
      detail: 'a < b & \u0007',
      loses: 'the lease',
    },
    { ...CASE, id: '4.70', title: 'A roll', status: 'skipped', detail: 'it rolls tenants' },
  ],
};

it('tells people what was seen, and what is lost by it', () => {
  expect(REPORT.cases.flatMap(renderCase)).toEqual([
    'ok   4.01 A claim is granted',
    'MISS 4.03 It keeps "it"',
    '          seen: a < b & \u0007',
    '          without it: the lease',
    'skip 4.70 A roll',
    '          it rolls tenants',
  ]);
  expect(renderConformance(REPORT)).toBe(
    'https://cp.example.com does not keep the contract: 1 passed, 1 missed, 1 skipped (safe mode)',
  );
});

it('makes JUnit XML of it', () => {
  expect(renderJunit(REPORT)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" skipped="1" time="1.500">
  <testsuite name="conformance of https://cp.example.com" tests="3" failures="1" skipped="1" time="1.500">
    <testcase classname="section 4" name="4.01 A claim is granted" time="0.012"/>
    <testcase classname="section 4" name="4.03 It keeps &quot;it&quot;" time="0.012">
      <failure message="a &lt; b &amp; \ufffd">without it: the lease</failure>
    </testcase>
    <testcase classname="section 4" name="4.70 A roll" time="0.012">
      <skipped message="it rolls tenants"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});
