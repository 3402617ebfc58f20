"""A receiver of traces for tests (OTLP over HTTP in protobuf): prints its URL, shows what has come as JSON.

It decodes with OpenTelemetry's own package, so that our exporter is not judged by its own messages.
"""

import http.server
import json
import threading

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

SEEN, LOCK = [], threading.Lock()
ERROR = 2


def attributes(pairs):
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value"))) for pair in pairs}


def spans(request):
    for of_one in request.resource_spans:
        name = attributes(of_one.resource.attributes)["service.name"]
        for scope in of_one.scope_spans:
            for span in scope.spans:
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span
                assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
                yield {
                    "service": name,
                    "name": span.name,
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "kind": span.kind,
                    "failed": span.status.code == ERROR,
                    "attributes": attributes(span.attributes),
                }


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fits = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
        if fits:
            seen = list(spans(service.ExportTraceServiceRequest.FromString(body)))
            with LOCK:
                SEEN.extend(seen)
        self.answer(200 if fits else 400, service.ExportTraceServiceResponse().SerializeToString())

    def do_GET(self):
        with LOCK:
            seen = json.dumps(SEEN).encode()
        self.answer(200, seen)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
