import { UsageError } from "./problem.ts";

/** `NAME=VALUE`, split at the first `=`. */
export function splitAssignment(option: string, text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at <= 0) {
    throw new UsageError(`${option} ${text} has no name`, { hint: `Write it as ${option} NAME=VALUE` });
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** JSON if it parses, else the text itself. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: people write `--input name=Ada`.
    return text;
  }
}

/** What a file holds: parsed if its name ends in `.json`, text if it is UTF-8, else bytes. */
export function fileValue(name: string, content: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    // Not UTF-8, so these are bytes.
    return content;
  }
  return name.endsWith(".json") ? parseJson(text, name) : text;
}

/** Parses JSON, and says where it ends to be JSON. */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${name} is not JSON: ${reason}`, { cause });
  }
}
