import { z } from "zod";
import type { Secrets } from "../engine/index.ts";
import type { Grant } from "../service/index.ts";
import { EnvironmentError, listed, origins, type Read, type Variables } from "./variable.ts";

const PREFIX = "NODEFLOW_SECRET_";
const ORIGINS = "_ORIGINS";

interface Entry {
  readonly value: string;
  readonly origins: ReadonlySet<string>;
}

/** The secrets of this host. Their values are in no property, so that nothing that prints an object prints them. */
export class HostSecrets implements Secrets {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  reveal(name: string, origin: string): string | null {
    const entry = this.#entries.get(name);
    return entry?.origins.has(origin) ? entry.value : null;
  }
}

/**
 * What is shorter is found in text that has nothing to do with it, and would garble it; what is longer fits no header. Line
 * breaks fit none either. The message must not repeat the value.
 */
const secret = z.string().regex(/^[\t\x20-\x7e\x80-\xff]{8,4096}$/, {
  error: "must be 8 to 4096 characters in one line, none of them beyond Latin-1",
});

/** `NODEFLOW_SECRET_NAME`, and where it may go: `NODEFLOW_SECRET_NAME_ORIGINS`. Without origins it goes nowhere. */
export function readSecrets(variables: Variables, read: Read): HostSecrets {
  const entries = new Map<string, Entry>();
  for (const variable of Object.keys(variables)) {
    if (!isSecretVariable(variable) || variable.endsWith(ORIGINS)) continue;
    const value = read(variable, secret);
    const going = read(variable + ORIGINS, origins) ?? [];
    if (value !== undefined) entries.set(variable.slice(PREFIX.length), { value, origins: new Set(going) });
  }
  for (const variable of Object.keys(variables)) {
    if (!isSecretVariable(variable) || !variable.endsWith(ORIGINS)) continue;
    if (!entries.has(variable.slice(PREFIX.length, -ORIGINS.length)))
      throw new EnvironmentError(
        `${variable} is for a secret that ${variable.slice(0, -ORIGINS.length)} doesn't set`,
      );
  }
  return new HostSecrets(entries);
}

export function isSecretVariable(name: string): boolean {
  return name.startsWith(PREFIX) && name.length > PREFIX.length;
}

/** `alice:OPENAI|GITHUB,bob:*`: the secrets that the runs of each may use. */
const tokenSecrets = z.string().transform((text, context) => {
  const found = new Map<string, readonly string[]>();
  for (const part of listed(text)) {
    const [, principal, names] =
      /^([A-Za-z0-9._-]{1,64}):(\*|[A-Za-z0-9_]+(?:\|[A-Za-z0-9_]+)*)$/.exec(part) ?? [];
    if (principal === undefined || names === undefined) {
      context.addIssue({ code: "custom", message: `must be NAME:SECRET|SECRET or NAME:*, not "${part}"` });
      return z.NEVER;
    }
    found.set(principal, [...(found.get(principal) ?? []), ...names.split("|")]);
  }
  return found;
});

/** Gives each token the secrets that its owner may use. */
export function withSecrets(
  grants: ReadonlyMap<string, Grant>,
  secrets: HostSecrets,
  read: Read,
): ReadonlyMap<string, Grant> {
  const allowed = read("NODEFLOW_TOKEN_SECRETS", tokenSecrets);
  if (!allowed) return grants;
  const principals = new Set([...grants.values()].map(({ principal }) => principal));
  for (const [principal, names] of allowed) {
    if (!principals.has(principal)) throw unknown(`"${principal}", who has no token`);
    for (const name of names)
      if (name !== "*" && !secrets.has(name)) throw unknown(`the secret "${name}", which isn't set`);
  }
  return new Map(
    [...grants].map(([token, grant]) => {
      const names = allowed.get(grant.principal);
      return [token, names ? { ...grant, secrets: names.includes("*") ? secrets.names : names } : grant];
    }),
  );
}

function unknown(what: string): EnvironmentError {
  return new EnvironmentError(`NODEFLOW_TOKEN_SECRETS names ${what}`);
}
