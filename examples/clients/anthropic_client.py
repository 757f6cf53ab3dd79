# pip install anthropic; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import os

from anthropic import Anthropic

client = Anthropic(
    base_url=os.environ.get("ORCHD_URL", "http://127.0.0.1:8080"),
    api_key=os.environ.get("ORCHD_KEY", "valid"),
)
with client.messages.stream(
    model=os.environ.get("ORCHD_MODEL", "mock:v1"),
    max_tokens=1000,
    messages=[{"role": "user", "content": "Say hello."}],
) as stream:
    for text in stream.text_stream:
        print(text, end="")
