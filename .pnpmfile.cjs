// What a package needs only to be built says nothing to whoever installs it; and pnpm lists packages of the workspace in
// an order that changes from one packing to the next, so that the same commit would not make the same bytes.
const beforePacking = ({ devDependencies: _, ...manifest }) => manifest;

module.exports = { hooks: { beforePacking } };
