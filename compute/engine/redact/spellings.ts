const encoder = new TextEncoder();

/** Spellings shorter than this are found in texts that have nothing to do with a secret. Its own is looked for in any case. */
const MIN_CHARS = 6;

/**
 * How a secret may be written when somebody repeats it: as it is, in JSON, in a URL or form, in HTML, in hexadecimal digits,
 * and in base64, where the same bytes look different at each of three positions.
 */
export function spellings(secret: string): string[] {
  const found = new Set<string>();
  for (const part of parts(secret)) for (const spelling of spell(part)) found.add(spelling);
  return [...found].filter((text) => text.length >= MIN_CHARS || text === secret);
}

/** `Bearer TOKEN` is repeated as its token, too, and `Basic …` as the password in it. */
function parts(secret: string): string[] {
  const [, scheme = "", credentials] = /^(\S+) +(\S.*)$/.exec(secret) ?? [];
  if (credentials === undefined) return [secret];
  if (scheme.toLowerCase() !== "basic") return [secret, credentials];
  try {
    const pair = atob(credentials);
    return [secret, credentials, pair, pair.slice(pair.indexOf(":") + 1)];
  } catch {
    return [secret, credentials];
  }
}

function* spell(text: string): Generator<string> {
  yield text;
  yield* inJson(text);
  yield* inUrls(text);
  yield text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
  yield text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  yield* inBytes(encoder.encode(text));
  // Headers carry Latin-1.
  if (/[\x80-\xff]/.test(text) && !/[^\0-\xff]/.test(text))
    yield* inBytes(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

function* inJson(text: string): Generator<string> {
  const once = JSON.stringify(text).slice(1, -1);
  const ascii = once.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  for (const json of [once, once.replaceAll("/", "\\/"), ascii]) {
    yield json;
    // JSON inside a text of JSON.
    yield JSON.stringify(json).slice(1, -1);
  }
}

function* inUrls(text: string): Generator<string> {
  const component = encodeURIComponent(text.toWellFormed());
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  const every = [...encoder.encode(text)].map((byte) => `%${hex(byte)}`).join("");
  for (const url of [component, form, every, encodeURI(text.toWellFormed())]) {
    yield url;
    yield url.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase());
    yield url.replace(/%[0-9a-f]{2}/g, (byte) => byte.toUpperCase());
  }
}

function* inBytes(bytes: Uint8Array): Generator<string> {
  const digits = [...bytes].map(hex).join("");
  yield digits;
  yield digits.toUpperCase();
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  for (const before of [0, 1, 2]) {
    const base64 = btoa("\0".repeat(before) + binary);
    // Only the digits that nothing but the secret decides.
    const own = base64.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    yield own;
    yield own.replaceAll("+", "-").replaceAll("/", "_");
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
