import { z } from "zod";

/** What a host tells a child: the header of a frame. */
export type Order =
  /** Makes a context for a job, and computes its first value. Parts: the script if it is new to the group, the packed inputs. */
  | {
      readonly type: "start";
      /** Another group than before: everything of the one before is thrown away. */
      readonly group: number;
      /** Which script it is, within its group. */
      readonly program: number;
      /** Whether the first part is that script. */
      readonly scripted: boolean;
      readonly stream: boolean;
      readonly memoryMb: number;
      /** Larger values are not sent. */
      readonly maxBytes: number;
    }
  /** Computes the next value of the job. */
  | { readonly type: "step" }
  /** Lets go of the job. */
  | { readonly type: "end" }
  /** Throws away everything of the last group, and makes ready for another. */
  | { readonly type: "refresh" };

const level = z.enum(["debug", "info", "warn", "error"]);

/** What a child says, checked: programs run there, and one may have got the better of it. */
export const Word = z.discriminatedUnion("type", [
  /** It can be given jobs. */
  z.object({ type: z.literal("ready"), engine: z.string().max(64) }),
  /** What a step came to. Parts: the packed value. */
  z.object({ type: z.literal("taken"), state: z.string().max(16) }),
  /** The value is larger than it may be. */
  z.object({ type: z.literal("large") }),
  /** There was no memory left. The child is of no more use. */
  z.object({ type: z.literal("exhausted") }),
  z.object({ type: z.literal("log"), level, message: z.string().max(4_096) }),
]);
export type Word = z.infer<typeof Word>;
