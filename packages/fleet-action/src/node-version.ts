/** What is wrong with a Node that is too old; runners start the one of the job image, whatever action.yml says. */
export function oldNodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return null;
  return `this action needs Node 20.19 or newer, and this job runs ${version}; choose a newer job image, or run setup-node before this step`;
}
