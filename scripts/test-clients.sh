#!/usr/bin/env bash
# Installs the clients that tests run for real, as scripts/test-install.sh says: several at once, for they wait for the network.
. "$(dirname "$0")/test-install.sh"

# A folder with npm packages of its own, whose scripts run: the project says that none do, and npm hands that down.
node_with() {
  local folder=$1
  shift
  rm -rf "$folder" && mkdir -p "$folder" && echo '{}' >"$folder/package.json" && npm install --prefix "$folder" --no-fund --no-audit --ignore-scripts=false "$@"
}

# A folder with Python packages of its own, by the installer that takes many at once: pip needs ten times as long.
fast_python_with() {
  local folder=$1
  shift
  python_with "$folder" uv==0.13.9 && "$folder/bin/uv" pip install -q --no-cache --compile-bytecode --python "$folder/bin/python" "$@"
}

claude_code() { node_with "$1" @anthropic-ai/claude-code@2.1.332; }
codex() { node_with "$1" @openai/codex@0.171.0; }
opencode() { node_with "$1" opencode-ai@1.18.33; }
qwen_code() { node_with "$1" @qwen-code/qwen-code@0.24.4; }
pi() { node_with "$1" @mariozechner/pi-coding-agent@0.73.1; }
aider() { fast_python_with "$1" aider-chat==0.86.2; }
python_clients() { fast_python_with "$1" openai==3.57.0 anthropic==2.14.0 langchain-openai==1.7.4 llm==0.36; }

install claude-code 300 claude_code &
install codex 300 codex &
install opencode 300 opencode &
install qwen-code 300 qwen_code &
install pi 300 pi &
install aider 900 aider &
install python-clients 600 python_clients &
wait
