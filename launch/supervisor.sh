# How launch/run runs lockstep under mpirun, and starts a training again. Sourced by it, never run.
# Uses its variables: mpirun, ranks, flags, program, max_restarts, startup_timeout.
# shellcheck shell=bash disable=SC2154

# What the program tells of itself (lockstep/train/supervisor.hpp), a note a line, and the state of
# the one attempt that runs: `job` is mpirun, `signal` what the next Ctrl-C sends it.
notes='' job='' signal=USR1 stop_asked='' interrupted=''

noted() { grep -q "^$1" "$notes"; }

# The exit code that the program named; 0 counts before others, as then the run is finished.
noted_end() { sed -n 's/^ended //p' "$notes" | sort -n | head -n 1; }

# Keeps the program's notes, and leaves out what mpirun says about an exit code: lockstep has said in
# one line why it ended.
without_banners() {
  local line block='' inside='' told='non-zero (exit code|status)|MPI_ABORT was invoked|"abort"|MPI_Abort'
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '@lockstep '*) printf '%s\n' "${line#@lockstep }" >>"$notes" ;;
      ----------*)
        if [ -z "$inside" ]; then inside=yes block=$line; continue; fi
        inside=''
        [[ $block =~ $told ]] || printf '%s\n%s\n' "$block" "$line"
        ;;
      # Open MPI 5 where ranks leave before it heard of all, 4 where a signal is passed on
      *'PMIX ERROR: PMIX_ERR_UNREACH'* | *': Forwarding signal '*' to job') ;;
      *) if [ -n "$inside" ]; then block+=$'\n'$line; else printf '%s\n' "$line"; fi ;;
    esac
  done
  [ -z "$inside" ] || printf '%s\n' "$block"
}

# mpirun answers SIGINT and SIGTERM by killing the ranks within a second, but forwards SIGUSR1. So it
# runs in a session of its own, which Ctrl-C does not reach, and gets SIGUSR1 in their place.
# shellcheck disable=SC2317  # called by the trap
stop() {
  interrupted=yes stop_asked=yes
  if [ -n "$job" ]; then kill "-$signal" "$job" 2>/dev/null || :; fi
  signal=TERM
}

runs() { kill -0 "$1" 2>/dev/null; }

# watch JOB: ends it where it would not end by itself. A rank that dies in MPI_Init leaves the others
# in it for ever; and one that hangs when the others have come to an end keeps mpirun waiting.
watch() {
  local second=0 last=''
  until noted together; do
    sleep 1
    runs "$1" || return
    second=$((second + 1))
    if [ "$second" = "$startup_timeout" ]; then echo stuck >>"$notes"; break; fi
  done
  until noted stuck || [ -n "$last" ]; do
    sleep 2
    runs "$1" || return
    # On 0 and 75 all ranks have agreed; `hung` is the word of a rank that waited in vain.
    if noted 'ended 0' || noted 'ended 75' || noted hung; then last=yes; fi
  done
  [ -z "$last" ] || sleep 5
  kill -TERM "$1" 2>/dev/null || :
  sleep 5
  kill -KILL "$1" 2>/dev/null || :
}

# attempt WORDS...: runs the program with them on all ranks until mpirun has ended, with its exit code.
attempt() {
  local code filter watch=''
  : >"$notes"
  exec 8> >(trap '' INT TERM HUP USR1; without_banners >&2)
  filter=$!
  # No rank outlives mpirun, and mpirun does not outlive this script.
  LOCKSTEP_SUPERVISED=$((10#$max_restarts - restarts)) setsid setpriv --pdeathsig TERM "$mpirun" -n "$ranks" "${flags[@]}" \
    setpriv --pdeathsig KILL "$program" "$@" 2>&8 8>&- &
  job=$!
  exec 8>&-
  # Its sleep outlives it by seconds, and must not hold the caller's pipes open.
  if [ "$1" = train ]; then watch "$job" </dev/null >/dev/null 2>&1 & watch=$!; fi
  if [ -n "$stop_asked" ]; then kill "-$signal" "$job" 2>/dev/null || :; fi
  while :; do
    interrupted='' code=0
    wait "$job" || code=$?
    [ -n "$interrupted" ] || break
  done
  job=''
  if [ -n "$watch" ]; then kill "$watch" 2>/dev/null || :; fi
  wait "$filter" || :
  return "$code"
}

# from_checkpoint WORDS...: the same command in `again`, going on from the run folder's checkpoints.
# A fault that was rehearsed has happened.
from_checkpoint() {
  again=()
  while [ $# -gt 0 ]; do
    case $1 in
      --resume | --inject) shift ;;
      --resume=* | --inject=*) ;;
      *) again+=("$1") ;;
    esac
    shift || :
  done
  again+=(--resume auto)
}

# run_folder WORDS...: what --out names, if anything.
run_folder() {
  while [ $# -gt 0 ]; do
    case $1 in
      --out) printf '%s\n' "${2-}" ;;
      --out=*) printf '%s\n' "${1#--out=}" ;;
    esac
    shift
  done | tail -n 1
}

# Why a training ended that did not end by itself.
reason() { # CODE-OF-MPIRUN
  if noted stuck; then
    echo "the ranks had not found each other after $startup_timeout s"
  elif noted hung; then
    echo "ranks waited in vain for one that could not be ended from there"
  elif [ "$(noted_end)" = 5 ]; then
    echo "a rank was lost, and the others could not go on without it"
  elif noted together; then
    echo "all ranks were lost"
  else
    echo "the ranks were lost before they found each other (mpirun's exit code: $1)"
  fi
}

# supervise COMMAND WORDS...: ends with lockstep's exit code. A training whose ranks are all lost is
# started again.
supervise() {
  local code end restarts=0 again
  notes=$(mktemp)
  trap 'rm -f "$notes"' EXIT
  trap stop INT TERM HUP USR1
  if [ -z "$max_restarts" ]; then
    max_restarts=0
    if [ "$1" = train ] && [ -n "$(run_folder "$@")" ]; then max_restarts=3; fi
  fi
  while :; do
    code=0
    attempt "$@" || code=$?
    end=$(noted_end)
    [ "$1" = train ] || exit "${end:-$code}"
    if [ -n "$end" ] && [ "$end" != 5 ]; then exit "$end"; fi
    # All may have been lost after the last file was written.
    if noted training && [ -e "$(run_folder "$@")/summary.json" ]; then exit 0; fi
    if [ -n "$stop_asked" ]; then exit "${end:-5}"; fi
    if [ "$restarts" -ge "$max_restarts" ]; then
      die 5 "$(reason "$code")$([ "$restarts" = 0 ] || echo ", after $restarts restarts"); start the run again: it goes on from its newest checkpoint"
    fi
    warn "run: $(reason "$code"); starting again in $((1 << restarts)) s ($((restarts + 1)) of $max_restarts restarts)"
    if noted training; then from_checkpoint "$@"; set -- "${again[@]}"; fi
    sleep "$((1 << restarts))"
    restarts=$((restarts + 1))
  done
}
