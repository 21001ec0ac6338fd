"""Stands in for the engine: keeps what it is told, serves /health, and never lets go of a request."""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace


class ggml_type:  # noqa: N801
    GGML_TYPE_Q8_0 = "q8_0"


class CommonParams(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(
            model=SimpleNamespace(),
            cpuparams=SimpleNamespace(),
            cpuparams_batch=SimpleNamespace(),
            sampling=SimpleNamespace(),
        )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


class Server:
    def __init__(self, params: CommonParams) -> None:
        if "refuse" in params.model.path:
            raise RuntimeError("Failed to init server")
        self.keep(params)
        os.write(1, b"the engine talks on stdout too\n")
        self.http = ThreadingHTTPServer((params.hostnames[0], params.port), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{self.http.server_port}"

    def keep(self, params: CommonParams) -> None:
        told = json.loads(
            json.dumps(params, default=lambda value: list(value) if isinstance(value, set) else vars(value))
        )
        told |= {"omp": os.environ.get("OMP_WAIT_POLICY"), "nice": os.nice(0), "argv": sys.argv}
        Path(params.model.path).with_suffix(".told.json").write_text(json.dumps(told))

    def __del__(self) -> None:
        time.sleep(60)
