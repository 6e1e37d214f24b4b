"""A receiver of HTTP requests for tests: keeps what it is sent and says so on stderr, a JSON line each.

usage: http_receiver.py [--cert FILE --key FILE] [--answers STATUS[:RETRY-AFTER],…]

The n-th request gets the n-th answer; the last holds on. 0 is no answer: the connection is closed.
"""

import argparse
import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--answers", default="200")
options = parser.parse_args()
answers = options.answers.split(",")


def tell(**fields):
    print(json.dumps(fields), file=sys.stderr, flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        status, _, retry_after = answer.partition(":")
        tell(request=True, status=int(status), path=self.path, headers=dict(self.headers), body=body.decode())
        if status == "0":
            self.close_connection = True
            return
        self.send_response(int(status))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        if 300 <= int(status) < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if options.cert:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.cert, options.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
tell(port=server.server_port)
server.serve_forever()
