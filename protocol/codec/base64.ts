const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const ENCODE = Uint8Array.from(ALPHABET, (char) => char.charCodeAt(0));
const PAD = 61;
const INVALID = 0xff;
const DECODE = new Uint8Array(128).fill(INVALID);
for (let i = 0; i < 64; i++) DECODE[ENCODE[i]!] = i;

const ascii = new TextDecoder();

/** Base64 with padding (RFC 4648, 4). */
export function toBase64(bytes: Uint8Array): string {
  const { length } = bytes;
  const out = new Uint8Array(Math.ceil(length / 3) * 4);
  const rest = length % 3;
  const whole = length - rest;
  let at = 0;
  for (let i = 0; i < whole; i += 3) {
    const triple = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    out[at++] = ENCODE[triple >> 18]!;
    out[at++] = ENCODE[(triple >> 12) & 63]!;
    out[at++] = ENCODE[(triple >> 6) & 63]!;
    out[at++] = ENCODE[triple & 63]!;
  }
  if (rest > 0) {
    const triple = (bytes[whole]! << 16) | (rest === 2 ? bytes[whole + 1]! << 8 : 0);
    out[at++] = ENCODE[triple >> 18]!;
    out[at++] = ENCODE[(triple >> 12) & 63]!;
    out[at++] = rest === 2 ? ENCODE[(triple >> 6) & 63]! : PAD;
    out[at++] = PAD;
  }
  return ascii.decode(out);
}

/** The bytes that a base64 text stands for, or null if it isn't base64. Padding may be left out, nothing else may differ. */
export function fromBase64(text: string): Uint8Array | null {
  let end = text.length;
  if (end % 4 === 0 && end > 0 && text.charCodeAt(end - 1) === PAD) {
    end -= text.charCodeAt(end - 2) === PAD ? 2 : 1;
  }
  const rest = end % 4;
  if (rest === 1) return null;
  const out = new Uint8Array((end >> 2) * 3 + (rest === 0 ? 0 : rest - 1));
  let at = 0;
  for (let i = 0; i < end; i += 4) {
    const a = sextet(text, i, end);
    const b = sextet(text, i + 1, end);
    const c = sextet(text, i + 2, end);
    const d = sextet(text, i + 3, end);
    if ((a | b | c | d) > 63) return null;
    const triple = (a << 18) | (b << 12) | (c << 6) | d;
    // A typed array ignores what is written past its end: the last group may be short.
    out[at++] = triple >> 16;
    out[at++] = (triple >> 8) & 255;
    out[at++] = triple & 255;
  }
  // Bits beyond the last byte must be zero, or two texts would stand for the same bytes.
  if (rest === 2 && (sextet(text, end - 1, end) & 15) !== 0) return null;
  if (rest === 3 && (sextet(text, end - 1, end) & 3) !== 0) return null;
  return out;
}

function sextet(text: string, at: number, end: number): number {
  return at < end ? (DECODE[text.charCodeAt(at)] ?? INVALID) : 0;
}
