export { type Clock, systemClock } from './clock.js';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.js';
export { type EmbeddedDatabase, startEmbedded } from './db/embedded.js';
export { openApiDocument } from './openapi-document.js';
export { BEHAVIOURS, type BehaviourName, type FleetFile, fleetFileSchema } from './sim/behaviour.js';
export { tenantNames } from './sim/names.js';
