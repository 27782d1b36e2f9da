#!/usr/bin/env bash
# Chromium without a window, its files in FOLDER, driven by the DevTools protocol over this script's input and output: JSON
# texts, each ended by a zero byte.
#
#   tests/services/chromium.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
folder=$1
command -v chromium >/dev/null || fail "no chromium: run install.sh"
options=(
    --headless=new --remote-debugging-pipe --user-data-dir="$folder/profile"
    # It shows our own pages only, and its sandbox is not to be had for root and in containers.
    --no-sandbox
    # Containers may have little of it.
    --disable-dev-shm-usage
    --disable-gpu --disable-background-networking --disable-component-update --no-first-run
)
# It reads from descriptor 3 and writes to 4.
HOME=$folder exec chromium "${options[@]}" about:blank 3<&0 4>&1 </dev/null >"$folder/log" 2>&1
