"""Stands in for server.py: same orders on stdin, same answer on stdout, same end; a mode for each misfortune.

Run with ``python -I fake_child.py DIARY MODE``. Each start adds its process number to the diary.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DIARY, MODE = sys.argv[1:3]


class Handler(BaseHTTPRequestHandler):
    key = ""

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(503 if MODE == "sick" else 200, {"status": "ok"})
        elif self.headers.get("Authorization") != f"Bearer {self.key}":
            self.answer(401, {"error": "Invalid API Key"})
        else:
            self.answer(200, {"pid": os.getpid(), "argv": sys.argv, "environ": dict(os.environ)})

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    order = json.loads(sys.stdin.buffer.readline())
    with Path(DIARY).open("a") as diary:
        diary.write(f"{os.getpid()}\n")
    threading.Thread(target=leave_with_parent, daemon=True).start()
    if MODE == "broken":
        sys.stderr.write("0.01 I loading\n0.02 E cannot read the model\n0.03 E giving up\n")
        os._exit(1)
    if MODE == "silent":
        time.sleep(60)
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Handler.key = order["api_key"]
    try:
        server = ThreadingHTTPServer(("127.0.0.1", order["port"]), Handler)
    except OSError as error:
        sys.stderr.write(f"E couldn't bind: {error}\n")
        os._exit(1)
    if MODE == "noisy":
        for number in range(20_000):
            sys.stderr.write(f"line {number} of very much talk about nothing\n")
        sys.stderr.flush()
    if MODE == "mortal":
        threading.Timer(0.15, os._exit, [7]).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}) + "\n")
    sys.stdout.flush()
    server.serve_forever()


def leave_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


main()
