/**
 * The rooms of each package from top to bottom: a file imports from its own room and from those further down. Why the
 * order is as it is: docs/architecture.md.
 */
const ROOMS = {
  'packages/fleet-core/src': [
    'index.ts',
    'run.ts',
    'gates.ts',
    'on-server/',
    'pipeline.ts',
    'watch/',
    'planning.ts',
    'run-state.ts',
    'announce/',
    'report/',
    'rollout/',
    'doctor/',
    'status/',
    'plan/',
    'lock/',
    'gate/',
    'verify/',
    'render/',
    'clients/',
    'config/',
    'context.ts',
    'ports.ts',
    'events/',
    'errors.ts',
    'result/',
    'io/',
    'text/',
    'contract.ts',
    'contract/',
  ],
  'packages/fleet-lint/src': ['index.ts', 'lint.ts', 'replace/', 'rules/', 'repository/', 'syntax/'],
  'packages/fleet-conformance/src': [
    'index.ts',
    'run.ts',
    'cases.ts',
    'cases/',
    'case.ts',
    'render/',
    'report.ts',
    'fleet.ts',
    'group.ts',
    'server.ts',
    'miss.ts',
  ],
  'packages/fleet-cli/src': [
    'cli.ts',
    'main.ts',
    'program.ts',
    'commands/',
    'process/',
    'terminal/',
    'flags.ts',
  ],
  'packages/fleet-control-plane/src': [
    'main.ts',
    'program/',
    'index.ts',
    'control-plane.ts',
    'rollouts/',
    'modes.ts',
    'dashboard/',
    'gateway/',
    'sim/',
    'rolls/',
    'lock/api/',
    'lock/liveness/',
    'lock/waiting/',
    'lock/store/',
    'lock/rules/',
    'http/',
    'db/',
    'problem.ts',
  ],
};

const escaped = (path) => path.replaceAll('.', '\\.');
const upwards = Object.entries(ROOMS).flatMap(([root, rooms]) =>
  rooms.slice(1).map((room, index) => ({
    name: `${root.split('/')[1]}: ${room} imports from further up`,
    severity: 'error',
    from: { path: `^${escaped(`${root}/${room}`)}` },
    to: {
      path: `^${root}/(?:${rooms
        .slice(0, index + 1)
        .map(escaped)
        .join('|')})`,
      pathNot: `^${escaped(`${root}/${room}`)}`,
    },
  })),
);

export default {
  forbidden: [
    { name: 'a circle of files', severity: 'error', from: {}, to: { circular: true } },
    { name: 'a circle of folders', scope: 'folder', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'past the entrance of another package',
      comment: 'Import a package by its name and one of its subpaths.',
      severity: 'error',
      from: { path: '^((?:packages|tools)/[^/]+)/' },
      to: { path: '^(?:packages|tools)/[^/]+/', pathNot: '^$1/|/dist/' },
    },
    {
      name: 'an import that leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...upwards,
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules|/dist/' },
    exclude: { path: '/(?:dist|test|act)/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
