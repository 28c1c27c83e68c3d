// Every part of the bench, one after the other; arguments go to each.
import './run.mjs';
import './lock.mjs';
