"""
A model with the inputs and outputs of Triton's backend of vLLM: what it samples by comes as one text, and without it an answer has 16 tokens.
It answers with the parameters that it was given, two tokens at a time, and gives an answer up where the prompt says `abort`.
"""

import json

import numpy as np
import triton_python_backend_utils as pb_utils


def value(request, name, default):
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return default if tensor is None else tensor.as_numpy()[0]


def answer(request):
    prompt = value(request, "text_input", b"").decode()
    given = json.loads(value(request, "sampling_parameters", b"{}"))
    sender = request.get_response_sender()
    left = given.get("max_tokens", 16)
    words = [f" {name}={json.dumps(given[name])}" for name in sorted(given)] + [" and so on"] * left
    while left > 0:
        now, words = words[:2], words[2:]
        left -= 2
        reason = str(None) if left > 0 else "abort" if prompt == "abort" else "length"
        outputs = [("text_output", "".join(now).encode(), object)]
        if value(request, "return_finish_reason", False):
            outputs.append(("finish_reason", reason.encode(), object))
        if value(request, "return_num_input_tokens", False):
            outputs.append(("num_input_tokens", len(prompt.split()), np.uint32))
        if value(request, "return_num_output_tokens", False):
            outputs.append(("num_output_tokens", 2, np.uint32))
        sender.send(pb_utils.InferenceResponse([pb_utils.Tensor(name, np.array([one], dtype=kind)) for name, one, kind in outputs]))
    sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            answer(request)
        return None
