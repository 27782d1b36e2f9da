#!/usr/bin/env bash
# Ends servers and removes their folders once the process that started them has ended, however it ended.
#
# It reads lines `PID FOLDER` until its input ends, which is when the process at the other end of the pipe is gone. Each PID
# leads a process group; 0 is none, for a folder without a server.
set -uo pipefail

# When a process was started: with it a pid that another process has got meanwhile is told apart.
started() {
    local stat
    stat=$(<"/proc/$1/stat") || return
    # The name before the last parenthesis may contain anything.
    read -ra stat <<<"${stat##*) }"
    echo "${stat[19]}"
} 2>/dev/null

servers=() folders=()
while read -r pid folder; do
    ((pid == 0)) || servers+=("$pid $(started "$pid")")
    folders+=("$folder")
done
for server in "${servers[@]}"; do
    read -r pid start <<<"$server"
    [[ -z $start || $(started "$pid") != "$start" ]] || kill -KILL -- "-$pid" 2>/dev/null
done
# PostgreSQL's processes leave when they notice that the first of them has; what they write until then goes too.
for _ in {1..50}; do
    rm -rf "${folders[@]}" 2>/dev/null && break
    sleep 0.1
done
