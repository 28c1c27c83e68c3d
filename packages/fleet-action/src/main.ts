/** Entry of the step. The rest is loaded only where Node can run it: job images bring a Node of any age. */
import { oldNodeProblem } from './node-version.js';

// A log that cannot be written ends no roll: the exit code tells the verdict.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const problem = oldNodeProblem(process.version);
if (problem) {
  process.stdout.write(`ERROR: ${problem}\n`);
  process.exitCode = 2;
} else {
  import('./step.js').then(async ({ runAction }) => {
    process.exitCode = await runAction(process.env);
  });
}
