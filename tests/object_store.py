"""An S3 server of our own on 127.0.0.1, moto's, and before it a proxy that makes the faults of a bad day.

For trying things by hand it can be served; it prints the variables to set::

    python -m tests.object_store --faults 0.2
"""

import argparse
import contextlib
import http.client
import logging
import random
import socket
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REFUSED = {"500": (500, "InternalError"), "503": (503, "SlowDown")}
KINDS = (*REFUSED, "reset", "lost answer", "truncated", "time-out")
QUICK_KINDS = tuple(kind for kind in KINDS if kind != "time-out")
STALL_SECONDS = 2.0
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class ObjectStore:
    """Where the server is, what was asked of it, and the faults that were made.

    Whether a request fails follows from the seed, the request and how often it was made, not from the order in which
    threads make requests.
    """

    def __init__(self, port, faults, seed, kinds):
        self._upstream = port
        self._seed = seed
        self._lock = threading.Lock()
        self.endpoint = ""
        self.forget()
        self.faults, self.kinds = faults, kinds

    def forget(self):
        """Make no faults from now on, and count anew."""
        self.faults, self.kinds = 0.0, KINDS
        self._seen, self.requests, self.made = Counter(), Counter(), Counter()

    @property
    def environment(self):
        """The variables that lead a client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "an-access-key",
            "AWS_SECRET_ACCESS_KEY": "a-secret-key",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def fault(self, method, path):
        """The kind of fault to make of this request; ``""`` for none."""
        with self._lock:
            self.requests[method] += 1
            self._seen[method, path] += 1
            times = self._seen[method, path]
            chance = random.Random(f"{self._seed} {method} {path} {times}")
            kind = chance.choice(self.kinds) if chance.random() < self.faults else ""
            if kind == "truncated" and method != "GET":
                kind = "reset"
            if kind:
                self.made[kind] += 1
            return kind

    def forward(self, method, path, headers, body):
        """Have moto's server answer: status, headers, body."""
        upstream = http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=60)
        with contextlib.closing(upstream):
            kept = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
            upstream.request(method, path, body, kept)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: ObjectStore

    def _handle(self):
        body = self._body()
        kind = self.store.fault(self.command, self.path)
        if kind == "time-out":
            time.sleep(STALL_SECONDS)
        if kind in ("reset", "time-out"):
            return self._hang_up()
        if kind in REFUSED:
            status, code = REFUSED[kind]
            refusal = f"<Error><Code>{code}</Code><Message>Not now.</Message></Error>".encode()
            return self._answer(status, [("Content-Type", "application/xml")], refusal, len(refusal))
        status, headers, content = self.store.forward(self.command, self.path, dict(self.headers), body)
        if kind == "lost answer":  # done, but the client cannot know
            return self._hang_up()
        # Of a HEAD the length is that of the body that a GET would have.
        length = {name.lower(): value for name, value in headers}.get("content-length", len(content))
        if kind == "truncated":
            self._answer(status, headers, content[: len(content) // 2], length)
            return self._hang_up()
        return self._answer(status, headers, content, length)

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815

    def _answer(self, status, headers, content, length):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _hang_up(self):
        self.wfile.flush()
        self.close_connection = True
        # To linger for no time at all makes of the closing a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that has gone is what we are here for."""


@contextlib.contextmanager
def object_store(*, faults=0.0, seed=0, kinds=KINDS):
    """Serve S3 with an empty bucket ``news`` until the block ends; ``faults`` is the share of requests that fail."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # which tells of every request
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    store = ObjectStore(port, faults, seed, kinds)
    store.forward("PUT", "/news", {}, b"")
    proxy = _Server(("127.0.0.1", 0), type("Proxy", (_Proxy,), {"store": store}))
    store.endpoint = f"http://127.0.0.1:{proxy.server_port}"
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        proxy.shutdown()
        proxy.server_close()
        moto.stop()


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faults", type=float, default=0.0, help="share of the requests that fail")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    arguments = parser.parse_args()
    with object_store(faults=arguments.faults, seed=arguments.seed, kinds=tuple(arguments.kinds)) as store:
        print("\n".join(f"export {name}={value}" for name, value in store.environment.items()), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
        print(dict(store.requests), dict(store.made), flush=True)


if __name__ == "__main__":
    main()
