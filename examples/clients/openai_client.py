# pip install openai; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("ORCHD_URL", "http://127.0.0.1:8080") + "/v1",
    api_key=os.environ.get("ORCHD_KEY", "valid"),
)
stream = client.chat.completions.create(
    model=os.environ.get("ORCHD_MODEL", "mock:v1"),
    messages=[{"role": "user", "content": "Say hello."}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")
