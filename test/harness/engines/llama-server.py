"""llama.cpp's server, as the package xllamacpp has it, with the options of `llama-server` that the tests use."""

import argparse
import signal

import xllamacpp

parser = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False)
parser.add_argument("-m", "--model", required=True)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8080)
parser.add_argument("-np", "--parallel", type=int, default=1)
parser.add_argument("-c", "--ctx-size", type=int, default=0)
parser.add_argument("-t", "--threads", type=int, default=1)
parser.add_argument("-a", "--alias")
parser.add_argument("--api-key")
parser.add_argument("--chat-template")
parser.add_argument("--metrics", action="store_true")
parser.add_argument("--embeddings", action="store_true")
parser.add_argument("--pooling", choices=["mean", "cls", "last", "rank"])
parser.add_argument("--rerank", action="store_true")
given = parser.parse_args()

params = xllamacpp.CommonParams()
params.model.path = given.model
params.hostnames = [given.host]
params.port = given.port
params.n_parallel = given.parallel
params.n_ctx = given.ctx_size
params.cpuparams.n_threads = given.threads
params.cpuparams_batch.n_threads = given.threads
params.endpoint_metrics = given.metrics
params.fit_params = False
if given.alias:
    params.model_alias = {given.alias}
if given.api_key:
    params.api_keys = [given.api_key]
if given.chat_template:
    params.chat_template = given.chat_template
pooling = "rank" if given.rerank else given.pooling
params.embedding = given.embeddings or given.rerank
# Without it this build mixes up inputs that it embeds in one batch; the llama-server of Debian does not.
params.kv_unified = params.embedding
if pooling:
    params.pooling_type = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{pooling.upper()}")

# As llama-server does: gone at once, whatever it was doing.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
server = xllamacpp.Server(params)
print(f"listening on {server.listening_address}", flush=True)
while True:
    signal.pause()
