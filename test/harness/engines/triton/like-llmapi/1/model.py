"""
A model with the inputs of TensorRT-LLM's `llmapi`: 32 tokens unless it is told, the prompt before them unless it is told, and while it streams all of
the text so far in each answer. It answers with the parameters that it was given. Its input `stop` cancels a request.
"""

import numpy as np
import triton_python_backend_utils as pb_utils


def given(request, name):
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy().tolist()


def answer(request):
    sender = request.get_response_sender()
    asked = {name: given(request, f"sampling_param_{name}") for name in ("max_tokens", "seed", "stop", "temperature")}
    tokens = (asked["max_tokens"] or [32])[0]
    words = [f" {name}={value[0]}" for name, value in asked.items() if value is not None] + [" and so on"] * tokens
    before = "" if given(request, "sampling_param_exclude_input_from_output") else given(request, "text_input")[0].decode()
    for count in range(1 if given(request, "streaming") else tokens, tokens + 1):
        outputs = [("text_output", before + "".join(words[:count]))]
        if given(request, "return_finish_reason"):
            outputs.append(("finish_reason", str(None) if count < tokens else "length"))
        sender.send(pb_utils.InferenceResponse([pb_utils.Tensor(name, np.array([text.encode()], dtype=object)) for name, text in outputs]))
    sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            answer(request)
        return None
