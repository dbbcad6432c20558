// The noise of a seed as numpy draws it: default_rng((seed, sample)).gumbel(size=count), as float32.
//
// SeedSequence and PCG64 (XSL-RR, 128 bits): https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html
// and https://www.pcg-random.org/pdf/hmc-cs-2014-0905.pdf, section 6.3.

const POOL = 4; // words of 32 bits
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const BITS_64 = (1n << 64n) - 1n;
const BITS_128 = (1n << 128n) - 1n;

/** Returns a function from a count to that many numbers of the standard Gumbel distribution. */
export function gumbelNoise(seed, sample) {
  const random = pcg64(seedWords([...words(seed), ...words(sample)]));
  return (count) => Float32Array.from({ length: count }, () => gumbel(random));
}

function gumbel(random) {
  const share = 1 - random();
  return share < 1 ? -Math.log(-Math.log(share)) : gumbel(random);
}

/** A function that gives doubles in [0, 1). */
function pcg64([high, low, streamHigh, streamLow]) {
  const increment = (((streamHigh << 65n) | (streamLow << 1n)) & BITS_128) | 1n;
  const step = (state) => (state * MULTIPLIER + increment) & BITS_128;
  let state = step((increment + ((high << 64n) | low)) & BITS_128);
  return () => {
    state = step(state);
    return Number(output(state) >> 11n) / 2 ** 53;
  };
}

function output(state) {
  const high = state >> 64n;
  const mixed = high ^ (state & BITS_64);
  const turn = high >> 58n;
  return ((mixed >> turn) | (mixed << (64n - turn))) & BITS_64;
}

/** The 32-bit words of a whole number, the lowest first. */
function words(number) {
  const found = [];
  for (let rest = BigInt(number); rest || !found.length; rest >>= 32n) found.push(Number(rest & 0xffffffffn));
  return found;
}

/** Four numbers of 64 bits that depend on all bits of the entropy, as BigInt. */
function seedWords(entropy) {
  const pool = mixed(entropy);
  const hash = hasher(0x8b51f9dd, 0x58f38ded);
  const halves = Array.from({ length: 2 * POOL }, (_, i) => BigInt(hash(pool[i % POOL])));
  return Array.from({ length: POOL }, (_, i) => halves[2 * i] | (halves[2 * i + 1] << 32n));
}

function mixed(entropy) {
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = Array.from({ length: POOL }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const word of entropy.slice(POOL)) {
    for (let to = 0; to < POOL; to++) pool[to] = mix(pool[to], hash(word));
  }
  return pool;
}

function hasher(constant, factor) {
  return (value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, factor);
    return folded(Math.imul(mixed, constant));
  };
}

function mix(x, y) {
  return folded(Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y));
}

function folded(value) {
  return (value ^ (value >>> 16)) >>> 0;
}
