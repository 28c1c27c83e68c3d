// What a file makes when it is loaded is changed too, so every run loads its files anew. The tests are named here and
// not by `testFiles`, with which Stryker 9.6 puts such changes in only after the file is loaded, where no test sees them.
export default {
  test: { include: JSON.parse(process.env.STRYKER_TESTS ?? '[]'), isolate: true, testTimeout: 30_000 },
};
