const NAMES =
  `acme birch cobalt dunes ember fjord granite harbor indigo juniper kestrel lumen maple nimbus orchid
  prairie quartz raven saffron tundra umber violet willow xenon yarrow zephyr alder basil cedar delta`
    .split(/\s+/)
    .filter(Boolean);

/** The first N slugs of a made-up fleet: company names, then the same names numbered. */
export function tenantNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[index % NAMES.length] ?? 'tenant';
    const round = Math.floor(index / NAMES.length);
    return round === 0 ? name : `${name}-${round + 1}`;
  });
}
