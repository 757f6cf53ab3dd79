# Streams one answer with an SDK, and says what came of it: stream.py URL openai|anthropic RETRIES
import sys

url, sdk, retries = sys.argv[1], sys.argv[2], int(sys.argv[3])
messages = [{"role": "user", "content": "Say hello."}]


def openai():
    from openai import OpenAI

    client = OpenAI(base_url=url + "/v1", api_key="key-data", max_retries=retries)
    for chunk in client.chat.completions.create(model="mock:v1", messages=messages, stream=True):
        yield chunk.choices[0].delta.content or "" if chunk.choices else ""


def anthropic():
    from anthropic import Anthropic

    client = Anthropic(base_url=url, api_key="key-data", max_retries=retries)
    with client.messages.stream(model="mock:v1", max_tokens=100, messages=messages) as stream:
        yield from stream.text_stream


try:
    print("said", "".join({"openai": openai, "anthropic": anthropic}[sdk]()))
except Exception as error:
    print("raised", type(error).__name__, error)
