# pip install langchain-openai; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import os

from langchain_openai import ChatOpenAI

chat = ChatOpenAI(
    model=os.environ.get("ORCHD_MODEL", "mock:v1"),
    base_url=os.environ.get("ORCHD_URL", "http://127.0.0.1:8080") + "/v1",
    api_key=os.environ.get("ORCHD_KEY", "valid"),
)
for chunk in chat.stream("Say hello."):
    print(chunk.text, end="")
