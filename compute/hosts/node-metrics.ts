import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Observer } from "../service/index.ts";

const DURATION_BUCKETS_S = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300, 3600];

/** What Prometheus reads: the service's own counts and the process's. */
export function prometheus(): Observer {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const requests = new Counter({
    name: "nodeflow_http_requests_total",
    help: "Requests answered",
    labelNames: ["route", "status"],
    registers,
  });
  const active = new Gauge({ name: "nodeflow_executions_active", help: "Runs under way", registers });
  const duration = new Histogram({
    name: "nodeflow_execution_duration_seconds",
    help: "From the arrival of the request to the last update",
    labelNames: ["status"],
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  return {
    requestAnswered: (route, status) => requests.inc({ route, status }),
    executionStarted: () => active.inc(),
    executionEnded(status, durationMs) {
      active.dec();
      duration.observe({ status }, durationMs / 1000);
    },
    render: async () => ({ contentType: register.contentType, text: await register.metrics() }),
  };
}
