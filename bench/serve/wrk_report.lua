-- wrk(1) calls this at the end: one line of JSON, on which nobody has to guess.
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"seconds":%.6f,"bytes":%.0f,"answers":%d,"p50Ms":%.3f,"p99Ms":%.3f,"errors":%d}\n',
    summary.duration / 1e6, summary.bytes, summary.requests,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
