import { z } from "zod";

/** Variables as a platform gives them: process.env on Node, bindings on Workers. */
export type Variables = Readonly<Record<string, unknown>>;

/** Reads one variable: undefined if it isn't there or is empty. Throws an `EnvironmentError` that names it. */
export type Read = <T>(name: string, schema: z.ZodType<T>) => T | undefined;

/** A variable that can't be what it is. The message names it and never tells a token or a secret. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

export function reader(variables: Variables): Read {
  return (name, schema) => {
    const given = variables[name];
    if (given === undefined || given === "") return undefined;
    const result = schema.safeParse(given);
    if (result.success) return result.data;
    throw new EnvironmentError(`${name} ${result.error.issues[0]?.message ?? "is invalid"}`);
  };
}

/** Platforms give numbers as text, or as numbers. */
function numeric(fits: (value: number) => boolean, { otherwise }: { readonly otherwise: string }) {
  return z.union([z.string(), z.number()]).transform((given, context) => {
    const value = typeof given === "string" && given.trim() === "" ? Number.NaN : Number(given);
    if (fits(value)) return value;
    const wanted = Number.isNaN(value) ? "a number" : otherwise;
    context.addIssue({ code: "custom", message: `must be ${wanted}, not "${given}"` });
    return z.NEVER;
  });
}

export const natural = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  numeric((value) => Number.isInteger(value) && value >= min && value <= max, {
    otherwise:
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
  });

export const positive = numeric((value) => value > 0 && value < Number.POSITIVE_INFINITY, {
  otherwise: "a number above 0",
});

/** The parts of a list, separated by commas. */
export function listed(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part.length > 0);
}

/** A list whose parts all fit. `wanted` says what they must be. */
export const listOf = (fits: (part: string) => boolean, wanted: string) =>
  z.string().transform((text, context) => {
    const parts = listed(text);
    const wrong = parts.find((part) => !fits(part));
    if (wrong === undefined) return parts;
    context.addIssue({ code: "custom", message: `must be ${wanted}, not "${wrong}"` });
    return z.NEVER;
  });

/** `https://example.org,http://localhost:5173` */
export const origins = listOf(
  (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
  "origins like https://example.org",
);
