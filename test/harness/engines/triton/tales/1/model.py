"""
A model for Triton's Python backend that streams words, chosen by the seed, each request in a thread of its own.
The prompt says how it goes wrong: `fail-first`, `fail-middle`, or `slow`, which writes until its request is cancelled; `cancelled` is
answered with how many requests were.
"""

import random
import threading
import time

import numpy as np
import triton_python_backend_utils as pb_utils

cancelled = []
WORDS = "once upon a time there was a patient fox named Nell 🦊 日本".split()


def value(request, name, default):
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return default if tensor is None else tensor.as_numpy()[0]


def error(text):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text))


def answer(prompt, tokens, seed, sender):
    draw = random.Random(seed)
    slow = prompt == "slow"
    try:
        if prompt == "fail-first":
            sender.send(error("canary: refused before the first token"))
            return
        for i in range(1_000_000 if slow else tokens):
            if sender.is_cancelled():
                cancelled.append(prompt)
                return
            if prompt == "fail-middle" and i == 3:
                sender.send(error("canary: broke after three"))
                return
            word = len(cancelled) if prompt == "cancelled" else draw.choice(WORDS)
            text = np.array([f" {word}".encode()], dtype=object)
            sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("text_output", text)]))
            if slow:
                time.sleep(0.02)
    finally:
        sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            prompt = value(request, "text_input", b"").decode()
            given = (prompt, int(value(request, "max_tokens", 8)), int(value(request, "seed", 0)))
            threading.Thread(target=answer, args=(*given, request.get_response_sender()), daemon=True).start()
        return None
