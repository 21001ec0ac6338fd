"""The request of ``/v1/completions``, for models that go on with a text and know no turns."""

from __future__ import annotations

import re
from typing import Any

from backends.adapters.base import Capability
from backends.adapters.errors import BackendError, Unsupported, gettext_noop
from backends.adapters.history import flattened
from backends.adapters.messages import ChatMessage, ChatRequest, Role, TextPart
from backends.adapters.openai_wire import sampling_body

#: What vLLM, SGLang, TGI, Ollama and OpenAI say of a model that cannot chat.
_NO_CHAT = re.compile(
    r"not a chat model|does not support chat|(provide a|default|no|missing|without a?) ?chat[ _]template"
    r"|chat[ _]template is not (set|defined)|template not found",
    re.IGNORECASE,
)
_HINT = gettext_noop("This model only goes on with plain text. Pick another model for images and tools.")

#: Where the model would begin to write what the person says next.
_NEXT = "\n\nUser:"


def only_completes(request: ChatRequest) -> bool:
    """Whether the server's list of models says: completion, and no chat."""
    known = request.capabilities or frozenset()
    return Capability.COMPLETION in known and Capability.CHAT not in known


def lacks_chat(error: BackendError) -> bool:
    """Whether a refusal means that the model has no chat template."""
    return error.status is not None and bool(_NO_CHAT.search(error.message))


def completion_body(request: ChatRequest) -> dict[str, Any]:
    """The body of ``POST /v1/completions``. Raises Unsupported for images, tools and schemas.

    A lone message goes as it is: a text to go on with. A conversation becomes a transcript, and the
    model is stopped where it begins to write the person's next line.
    """
    if request.tools or request.response_schema is not None or any(m.images for m in request.messages):
        raise Unsupported("this model only completes text", hint=_HINT)
    lone = len(request.messages) == 1 and not request.system
    body: dict[str, Any] = {
        "model": request.model,
        "prompt": request.messages[0].text if lone else _transcript(request),
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling_body(request.sampling),
    }
    return body if lone else {**body, "stop": [*request.sampling.stop, _NEXT]}


def _transcript(request: ChatRequest) -> str:
    """The conversation as a text that ends where the assistant's next line begins."""
    messages = (*request.messages, ChatMessage(Role.ASSISTANT, ()))
    texts = (part.text for part in flattened(messages) if isinstance(part, TextPart))
    return "\n\n".join(filter(None, [request.system, *texts])).rstrip()
