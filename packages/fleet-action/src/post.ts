/** Runs after the job. The rest is loaded only where Node can run it: without it, the step itself did nothing either. */
import { oldNodeProblem } from './node-version.js';

const { STATE_finished: finished } = process.env;
if (finished !== 'true' && !oldNodeProblem(process.version)) {
  import('./cleanup.js')
    .then(({ cleanUp }) => cleanUp(process.env))
    .catch(() => {
      process.stdout.write('the lock could not be looked after; it is free again once its lease runs out\n');
    });
}
