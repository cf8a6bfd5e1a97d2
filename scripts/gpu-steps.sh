# Steps under limits, for gpu-check.sh. What came of them is on disk after every step and every measurement, whatever hangs or crashes:
#   $out/report.json    written anew and renamed into place each time
#   $out/log.txt        the end of each finished step's output; running.log the end of the running one's
# Set before use: out, work (a folder for whole logs), mode, device, budget (seconds for all steps), factor (of the limits), wanted
# (a pattern of steps).
failed=0
steps=()

# A JSON string of the printable ASCII in TEXT, 200 characters at most.
json_string() { # json_string TEXT
  local LC_ALL=C text=${1:0:1000}
  text=${text//[^ -~]/}
  text=${text:0:200}
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# The lines of logs that are flat JSON objects whose first key is KEY, joined by commas. Anything else in the logs is left out.
measurements() { # measurements KEY LOG...
  local string='"[] !#-[^-~]*"' number='-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?' lines
  mapfile -t lines < <(LC_ALL=C grep -hasE "^\{\"$1\": $string(, \"[a-z_0-9]+\": ($string|$number|true|false))*\}\$" "${@:2}")
  local IFS=,
  printf '%s' "${lines[*]}"
}

write_report() {
  {
    printf '{"device": %s, "mode": "%s", "date": "%(%FT%T%z)T", "commit": %s, "budget_seconds": %s, "running": %s,\n "steps": [' \
      "$(json_string "$device")" "$mode" -1 "$(json_string "$commit")" "$budget" "$(json_string "${1:-}")"
    (IFS=,; printf '%s' "${steps[*]}")
    printf '],\n "probe": [%s],\n "results": ' "$(measurements probe "$work"/probe_*.log)"
    # gpu-targets.py's file holds the bench's lines as well, with the baselines beside them.
    if [ -s "$out/targets.json" ]; then cat "$out/targets.json"; else printf '{"bench": [%s]}' "$(measurements what "$work/bench.log")"; fi
    printf '}\n'
  } > "$out/report.json.new" && mv -f "$out/report.json.new" "$out/report.json"
}

# Of a step that ran the reason is its last line.
record() { # record NAME VERDICT SECONDS REASON
  printf '%-24s %-7s %4ss  %s\n' "$1" "$2" "$3" "${4:0:120}"
  steps+=($'\n  '"{\"step\": \"$1\", \"verdict\": \"$2\", \"seconds\": $3, \"reason\": $(json_string "$4")}")
  [ "$2" != FAILED ] || failed=1
  write_report
}
skipped() { record "$1" skipped 0 "$2"; } # skipped NAME REASON

# Ends everything that a step started: timeout makes it a process group.
child=
end_child() { [ -z "$child" ] || kill -KILL -- "-$child" 2> /dev/null; }
trap 'end_child; record "${running:-check}" FAILED 0 interrupted; exit 143' INT TERM HUP

# Runs COMMAND for LIMIT seconds at most, or for what is left of the budget. "{seconds}" in it becomes nine tenths of that: what measures until
# time is out ends by itself. The verdict is ok, FAILED (also when it had to be stopped, or no line matches the pattern must_print) or skipped.
step() { # step NAME LIMIT COMMAND...
  local name=$1 limit=$(($2 * factor)) begin=$SECONDS left=$((budget - SECONDS)) seen='' size status verdict=ok reason
  shift 2
  if [[ ! $name =~ ^(device|build|$wanted)$ ]]; then
    skipped "$name" 'not asked for'
    return 1
  fi
  if ((left < 2)); then
    skipped "$name" "the budget of $budget s is spent"
    return 1
  fi
  ((limit <= left)) || limit=$left
  local log=$work/$name.log
  running=$name
  write_report "$name"
  (
    ulimit -c 0 -f 131072 # no core file; a program that prints without end is ended at 128 MiB
    exec timeout -k 5 "$limit" "${@//\{seconds\}/$((limit * 9 / 10))}"
  ) > "$log" 2>&1 < /dev/null &
  child=$!
  while kill -0 "$child" 2> /dev/null; do
    sleep 0.05
    size=$(stat -c %s "$log")
    [ "$size" = "$seen" ] && continue
    seen=$size
    tail -c 65536 "$log" > "$out/running.log"
    write_report "$name"
  done
  wait "$child"
  status=$?
  end_child # what it left behind
  child=
  running=
  reason=$(tail -c 1000 "$log" | LC_ALL=C tr -d '\0' | tail -n 1)
  if ((status == 124 || (status == 137 && SECONDS - begin >= limit))); then
    verdict=FAILED reason="stopped after $limit s: $reason"
  elif ((status != 0)); then
    verdict=FAILED reason="exit status $status: $reason"
  elif ! LC_ALL=C grep -aqE "${must_print:-}" "$log"; then
    verdict=FAILED reason="expected output with a line $must_print: $reason"
  fi
  { printf '== %s: %s\n' "$name" "$verdict"; tail -c 262144 "$log"; printf '\n'; } >> "$out/log.txt"
  rm -f "$out/running.log"
  record "$name" "$verdict" $((SECONDS - begin)) "$reason"
  [ $verdict = ok ]
}
