// Every part of the bench, one after the other; arguments go to each.
for (const part of ['start', 'lag', 'answers', 'stuck', 'pipeline', 'lock']) {
  // An import statement would start them side by side: each waits at its top level.
  await import(`./${part}.mjs`);
}
