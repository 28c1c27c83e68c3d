/** Runs after the job: looks after a lock that the step, killed half-way, could not give back. */
import { say } from './commands.js';

const { STATE_started: started, STATE_finished: finished } = process.env;
if (started && finished !== 'true') {
  say(
    `the deploy step was cut off (it began at ${started}): whether it rolled anything, fleet verify will tell`,
  );
  say('its lock, if it held one, is free again once the lease runs out');
}
