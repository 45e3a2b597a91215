#!/usr/bin/python3
"""A collector of spans for a test: OTLP over HTTP as JSON.

    otlp_collector.py DIR [stall PORT]

Writes its port to DIR/port and each span, flat, as a line to DIR/spans. With `stall` it reads the
request, on that port, and never answers.
"""
import http.server
import json
import os
import sys
import threading

folder = sys.argv[1]
stall = sys.argv[2:3] == ["stall"]
port = int(sys.argv[3]) if stall else 0
lock = threading.Lock()


def flat(attributes):
    return {a["key"]: next(iter(a["value"].values())) for a in attributes}


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if stall:
            with lock, open(os.path.join(folder, "stalled"), "a", encoding="ascii") as out:
                out.write("1\n")
            threading.Event().wait()
        good = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
        for resource in json.loads(body)["resourceSpans"]:
            service = flat(resource["resource"]["attributes"])["service.name"]
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    span["attributes"] = flat(span["attributes"])
                    line = json.dumps({"service": service, **span})
                    with lock, open(os.path.join(folder, "spans"), "a", encoding="utf-8") as out:
                        out.write(line + "\n")
        self.send_response(200 if good else 400)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Collector)
server.daemon_threads = True
with open(os.path.join(folder, "port.new"), "w", encoding="ascii") as out:
    out.write(str(server.server_address[1]))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
