import { describe } from "vitest";
import {
  answered,
  asReference,
  cancelled,
  edited,
  failing,
  filtered,
  repeated,
  resumed,
  selected,
} from "./properties.ts";
import { holds } from "./seeds.ts";

describe("random graphs, whatever the host", () => {
  holds("give what the reference gives, in the order that the rules ask for", 6_000, asReference);
  holds("fail as the reference says", 3_000, failing);
  holds("run only what is selected", 1_000, selected);
  holds("give the same without sending every output", 1_000, filtered);
  holds("give the same updates per path wherever they run", 1_500, repeated);
  holds("leave nothing behind when stopped at any update", 2_000, cancelled);
  holds("end the same when resumed from any cut of their stream", 400, resumed);
  holds("run only what an edit touches, and end as if it had always been so", 1_500, edited);
  holds("suspend where something is asked, and go on with the answers", 1_000, answered);
});
