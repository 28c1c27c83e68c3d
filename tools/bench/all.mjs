// Every part of the bench, one after the other; arguments go to each.
import './start.mjs';
import './lag.mjs';
import './answers.mjs';
import './stuck.mjs';
import './pipeline.mjs';
import './lock.mjs';
