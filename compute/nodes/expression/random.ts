const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Numbers from 0 up to 1 that look random and follow from the seed: a counter behind the mixer of SplitMix32, started at
 * the FNV-1a hash of the seed. Nothing secret may depend on them.
 */
export function randomNumbers(seed: string): () => number {
  let state = FNV_OFFSET;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), FNV_PRIME);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) * 2 ** 21 + (mix(state ^ 0x5bd1e995) >>> 11)) / 2 ** 53;
  };
}

function mix(state: number): number {
  let bits = state;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
