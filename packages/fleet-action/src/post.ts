/** Runs after the job. The rest is loaded only where Node can run it: without it, the step itself did nothing either. */
import { oldNodeProblem } from './node-version.js';

if (process.env.STATE_finished !== 'true' && !oldNodeProblem(process.version)) {
  import('./cleanup.js')
    .then(({ cleanUp }) => cleanUp(process.env))
    .catch(() => {
      process.stdout.write('the lock could not be looked after; it is free again once its lease runs out\n');
    });
}
