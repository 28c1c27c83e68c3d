/** Faults of the promise: rolled twice, soaked never, half-way unsaid. `from` occurs exactly once in `file`. */
const fault = (name, file, from, to, why, test = 'rollout/twice') => ({
  name,
  file: `fleet-core/src/${file}.ts`,
  from,
  to,
  why,
  caughtBy: [`fleet-core/test/${test}.test.ts`],
});

export const promise = [
  fault(
    'a lost answer in the survey counts',
    'plan/survey',
    'await verifier.look(slugs);\n  ledger.keepBaseline();',
    'await verifier.ask(slugs);\n  ledger.keepBaseline();',
    'a tenant on target whose answer was lost is rolled again',
  ),
  fault(
    'after draining nobody is asked',
    'rollout/roll',
    'const open = await stillOpen(',
    "const open = next === 'wait' ? pending : await stillOpen(",
    'what the older roll rolled is rolled again',
  ),
  fault(
    'one moved tenant gives the others no time',
    'rollout/roll',
    'if (!sentBefore || settled || !open.length',
    'if (sentBefore || settled || !open.length',
    'tenants that drain are rolled a second time',
  ),
  fault(
    'the same body goes with another key',
    'rollout/roll',
    'if (open.length !== pending.length) key = ',
    'if (open.length) key = ',
    'a control plane that knows keys runs one roll twice',
  ),
  fault(
    'a second roll is not warned of',
    'rollout/roll',
    'else if (lost) tellSecondRoll(emit, pending, lost);',
    '',
    'nobody learns of a second roll',
  ),
  fault(
    'a second roll is not in the verdict',
    'report/verdict',
    'return these.length ?',
    'return these.length > 1e6 ?',
    'a second roll ends as a plain DEPLOYED',
  ),
  fault(
    'the own roll is called an older one',
    'rollout/roll',
    'drainingText(lost) : sent.reason',
    'drainingText(null) : sent.reason',
    'people look for a run that is not there',
  ),
  fault(
    'a refused roll counts as one',
    'rollout/roll',
    'if (hadNoEffect(sent.exchange)) for (const slug of pending) ledger.undoRoll(slug);\n    else if (lost)',
    'if (lost)',
    'tenants that nobody touched are reported as rolled',
  ),
  fault(
    'a canary on target is not soaked again',
    'plan/plan',
    'rest.length && soakMs > 0 && !isSoaked)',
    'rest.length && soakMs < 0 && !isSoaked)',
    'a soak that was cut short never happens',
    'rollout/soak',
  ),
  fault(
    'what was rolled goes unsaid where a run stops',
    'report/ending',
    'halfWay(ledger)}`,\n    next: error.hint',
    '""}`,\n    next: error.hint',
    'people take a fleet that is half rolled for untouched',
    'rollout/half-way',
  ),
];
