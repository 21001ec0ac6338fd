"""The child's program: llama.cpp's server in a process of its own.

Started by path with ``python -I``, so it imports nothing of the hub. Its orders come as one line of
JSON on stdin: neither the command line nor the environment shows the key to other users. When it
serves it prints ``{"url": …}`` on stdout; its log goes to stderr. It ends when stdin does.

Leaving by ``os._exit`` and by the signals' default actions is on purpose: the engine's destructor
waits for the answer that is being written, which may be for ever.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any, NoReturn

#: Points by which the model yields the processor to the hub, which must stay quick meanwhile.
NICENESS = 5
#: More threads than this are no gain for what runs without a GPU.
MAX_THREADS = 8
#: MiB for conversations that are not in a slot (llama.cpp's default is 8 GiB).
CACHE_MIB = 64

_PR_SET_PDEATHSIG = 1

#: The template in the GGUF file, but for its default system prompt. With that one ("… named SmolLM,
#: trained by Hugging Face") and usual sampling, 18 of 28 simple questions are answered; with this one 27.
SMOLLM2_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> NoReturn:
    """Serve until the parent is gone."""
    order = json.loads(sys.stdin.buffer.readline())
    end_with_parent(order["parent"])
    answer = os.dup(1)
    os.dup2(2, 1)  # whatever the engine prints is log
    prepare_process()
    try:
        server = start(order)
    except Exception as error:
        sys.stderr.write(f"E {type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    os.write(answer, json.dumps({"url": server.listening_address}).encode() + b"\n")
    while True:
        threading.Event().wait()


def end_with_parent(parent: int) -> None:
    """End when the parent does: by the end of stdin everywhere, on Linux by the kernel's hand too."""
    threading.Thread(target=_leave_at_end_of_stdin, daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def _leave_at_end_of_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def prepare_process() -> None:
    """Signals end it at once; waiting costs no processor time; the hub goes first."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Must be set before the engine loads its OpenMP: busy waiting makes it ten times slower where
    # others work on the same cores.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def start(order: dict[str, Any]) -> Any:
    """The engine, serving. Raises RuntimeError, with the reason in the log, where it cannot."""
    sys.path.insert(0, order["engine"])
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    _set_model(params, order)
    _set_http(params, order)
    _set_threads(params)
    if order["tuned"]:
        _tune_for_smollm2(params)
    return Server(params)


def _set_model(params: Any, order: dict[str, Any]) -> None:
    params.model.path = order["model"]
    params.model_alias = {order["alias"]}
    params.n_parallel = order["slots"]
    params.n_ctx = order["context"] * order["slots"]  # it is divided among the slots
    params.cache_ram_mib = CACHE_MIB
    params.no_extra_bufts = True  # machines that announce AMX but cannot execute it crash otherwise
    params.use_jinja = True


def _set_http(params: Any, order: dict[str, Any]) -> None:
    params.hostnames = ["127.0.0.1"]
    params.port = order["port"]  # 0: any free one
    params.api_keys = [order["api_key"]]
    params.ui = False
    params.endpoint_slots = False


def _set_threads(params: Any) -> None:
    """Half of the cores write (a second thread on two cores made it slower), all of them read prompts."""
    cores = _cores()
    params.cpuparams.n_threads = min(max(cores // 2, 1), MAX_THREADS)
    params.cpuparams_batch.n_threads = min(cores, MAX_THREADS)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _tune_for_smollm2(params: Any) -> None:
    """What the small model needs to make sense; a request's own values go before these."""
    from xllamacpp import ggml_type

    params.chat_template = SMOLLM2_TEMPLATE
    # At 0.2 two of sixteen answers about the capital of France were nonsense, at 0.1 one, here none.
    params.sampling.temp = 0.0
    params.sampling.top_p = 0.9
    params.sampling.penalty_repeat = 1.1
    # 258 MB of memory instead of 344 with two whole contexts, and no answer got worse.
    params.cache_type_k = ggml_type.GGML_TYPE_Q8_0
    params.cache_type_v = ggml_type.GGML_TYPE_Q8_0


if __name__ == "__main__":
    main()
