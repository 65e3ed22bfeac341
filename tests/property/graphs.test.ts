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
  holds("give what the reference gives, in the order that the rules ask for", 4_000, asReference);
  holds("fail as the reference says", 1_000, failing);
  holds("run only what is selected", 500, selected);
  holds("give the same without sending every output", 500, filtered);
  holds("give the same updates per path wherever they run", 800, repeated);
  holds("leave nothing behind when stopped at any update", 1_000, cancelled);
  holds("end the same when resumed from any cut of their stream", 300, resumed);
  holds("run only what an edit touches, and end as if it had always been so", 800, edited);
  holds("suspend where something is asked, and go on with the answers", 500, answered);
});
