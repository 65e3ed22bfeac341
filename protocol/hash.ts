import { sha256 } from "@noble/hashes/sha2.js";
import { canonicalJson } from "./codec/canonical.ts";
import type { Value } from "./value.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH = 22;

const utf8 = new TextEncoder();

/**
 * The hash of a list of values: the first 22 characters (132 bits) of base64url(SHA-256(RFC 8785 JSON with markers)).
 * Synchronous, and the same on every host.
 */
export function hash(list: readonly unknown[]): string {
  const digest = sha256(utf8.encode(canonicalJson(list)));
  let out = "";
  for (let i = 0; out.length < LENGTH; i += 3) {
    const triple = (digest[i]! << 16) | (digest[i + 1]! << 8) | digest[i + 2]!;
    out += ALPHABET[triple >> 18]! + ALPHABET[(triple >> 12) & 63]!;
    if (out.length < LENGTH) out += ALPHABET[(triple >> 6) & 63]! + ALPHABET[triple & 63]!;
  }
  return out;
}

/** The seed of a node: the same over attempts, resumes and hosts. */
export function seedOf(runSeed: string, path: string): string {
  return hash([runSeed, path]);
}

/** What an effectful node tells the world, so that the world can recognise a second attempt. */
export function idempotencyKeyOf(runId: string, path: string): string {
  return hash([runId, path]);
}

/** The `request` of a question: an answer with the same one answers this question and no other. */
export function requestOf(path: string, tool: string, args: Value): string {
  return hash([path, tool, args]);
}
