import {
  type ExecuteRequest,
  JsonReader,
  type Limits,
  MsgpackReader,
  NodeflowError,
  parseRequest,
  readJson,
} from "../../../protocol/index.ts";
import { type Clock, cooperate } from "../../engine/index.ts";
import { piecesOf, wholeBody } from "./bytes.ts";
import { type BodyType, bodyTypeOf } from "./media-type.ts";

/** The event loop gets a turn after so much of a body has been read: about a millisecond's work. */
const TURN_BYTES = 64 * 1024;

/** Reads what was posted to `/execute` or `/validate`. Everything wrong with its bytes or outer shape ends here. */
export async function readRequest(request: Request, limits: Limits, clock: Clock): Promise<ExecuteRequest> {
  const wire = bodyTypeOf(request.headers);
  const whole = await wholeBody(request, TURN_BYTES, limits.maxBodyBytes);
  const body =
    whole && wire === "json"
      ? readJson(whole, limits)
      : await readPieces(whole ? [whole] : piecesOf(request, limits.maxBodyBytes), wire, limits, clock);
  return cooperate(parseRequest(body, { wire }), clock);
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

function readPieces(pieces: Pieces, wire: BodyType, limits: Limits, clock: Clock): Promise<unknown> {
  return wire === "json" ? readJsonPieces(pieces, limits, clock) : readMsgpack(pieces, limits, clock);
}

async function readJsonPieces(pieces: Pieces, limits: Limits, clock: Clock): Promise<unknown> {
  const reader = new JsonReader(limits);
  for await (const piece of inTurns(pieces, clock)) reader.push(piece);
  return reader.end();
}

async function readMsgpack(pieces: Pieces, limits: Limits, clock: Clock): Promise<unknown> {
  const reader = new MsgpackReader(limits);
  const values: unknown[] = [];
  for await (const piece of inTurns(pieces, clock)) {
    values.push(...reader.push(piece).slice(0, 2));
    if (values.length > 1)
      throw new NodeflowError("INVALID_REQUEST", "The MessagePack has something after its value");
  }
  reader.end();
  if (values.length === 0) throw new NodeflowError("INVALID_REQUEST", "The MessagePack is empty");
  return values[0];
}

/** Pieces of bounded size, with a turn of the event loop after each that is large. */
async function* inTurns(pieces: Pieces, clock: Clock): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += TURN_BYTES) {
      if (at > 0) await clock.turn();
      yield piece.subarray(at, at + TURN_BYTES);
    }
    if (piece.length >= TURN_BYTES) await clock.turn();
  }
}
