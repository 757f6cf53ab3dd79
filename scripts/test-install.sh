# Sourced by the scripts that install what tests run for real, below TEST_ENGINES (~/.cache/orchestratord-test if unset). What is there
# already stays. What cannot be installed is one line and no failure: its tests are skipped, and say so.
set -uo pipefail

cache="${TEST_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/orchestratord-test}"
mkdir -p "$cache" || exit 1

# Packages of the system that an install needs, where they are missing and may be installed.
system_packages() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@"
}

# A folder with Python packages of its own.
python_with() {
  local folder=$1
  shift
  python3 -c 'import ensurepip' || system_packages python3 python3-venv || return 1
  rm -rf "$folder" && python3 -m venv "$folder" && "$folder/bin/pip" install -q --no-cache-dir "$@"
}

# install NAME SECONDS FUNCTION: the folder holds a file `installed` when all went well, and that says with what.
install() {
  local name=$1 limit=$2 run=$3 folder="$cache/$1" log="$cache/$1.log" want
  want=$(declare -f "$run")
  [ "$(cat "$folder/installed" 2>/dev/null)" = "$want" ] && { echo "$name: there"; return; }
  rm -f "$folder/installed"
  if timeout "$limit" bash -c "set -uo pipefail; $(declare -f); $run '$folder'" >"$log" 2>&1 </dev/null; then
    echo "$want" >"$folder/installed"
    echo "$name: installed"
  else
    echo "$name: not installed, its tests are skipped: $(tail -n 1 "$log") (all of it in $log)"
  fi
}
