// Two entries on the same divisions: sign-flip permutation test and paired interval, as in
// llpbench.statistics, from the errors by division (means over seeds).

const DRAWS = 9999;
const BOOTSTRAP_DRAWS = 2000;

/** Random 32-bit numbers from a seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Share of swaps that make a difference as large; all swaps are tried where they are few. */
function signFlipTest(differences, draws = DRAWS, seed = 0) {
  const reached = Math.abs(total(differences)) - 1e-9;
  const isExact = 2 ** differences.length <= draws + 1;
  const tries = isExact ? 2 ** differences.length : draws;
  const next = randomNumbers(seed);
  let extreme = 0;
  for (let n = 0; n < tries; n++) {
    let [sum, bits] = [0, n];
    for (let d = 0; d < differences.length; d++) {
      if (!isExact && d % 32 === 0) bits = next();
      sum += (bits >>> d % 32) & 1 ? differences[d] : -differences[d];
    }
    extreme += Math.abs(sum) >= reached;
  }
  return { p: isExact ? extreme / tries : (extreme + 1) / (tries + 1), isExact, tries };
}

/** Value of resampled divisions and its linearised standard error. */
function ratioAndError(differences, chips, counts) {
  let [sum, count] = [0, 0];
  for (let d = 0; d < chips.length; d++) {
    sum += counts[d] * differences[d];
    count += counts[d] * chips[d];
  }
  const ratio = sum / count;
  let squares = 0;
  for (let d = 0; d < chips.length; d++) squares += counts[d] * (differences[d] - ratio * chips[d]) ** 2;
  return [ratio, Math.sqrt(squares) / count];
}

/** 95 % interval of the mean difference a chip by bootstrap-t over divisions; none below 5. */
function pairedInterval(differences, chips, draws = BOOTSTRAP_DRAWS, seed = 0) {
  const number = chips.length;
  const [value, error] = ratioAndError(differences, chips, new Array(number).fill(1));
  if (number < 5) return { value, low: null, high: null };
  const next = randomNumbers(seed);
  const counts = new Float64Array(number);
  const studentised = [];
  for (let n = 0; n < draws; n++) {
    counts.fill(0);
    for (let d = 0; d < number; d++) counts[next() % number] += 1;
    const [drawn, drawnError] = ratioAndError(differences, chips, counts);
    if (drawnError > 1e-6 * error) studentised.push((drawn - value) / drawnError);
  }
  if (!studentised.length) return { value, low: value, high: value };
  studentised.sort((one, other) => one - other);
  return { value, low: value - quantile(studentised, 0.975) * error, high: value - quantile(studentised, 0.025) * error };
}
