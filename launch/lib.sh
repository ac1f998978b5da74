# What the scripts of launch/ share. Sourced by them, never run.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this
prefix=$root/build/prefix

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

# die CODE WORDS...: one line on standard error, and out.
die() {
  local code=$1
  shift
  warn "$(basename "$0"): $*"
  exit "$code"
}

# usage: the comment at the script's head is its help.
usage() { sed -n '2,/^[^#]/{/^#/!d; s/^# \{0,1\}//p;}' "$0"; }

unknown_option() { die 2 "unknown option '$1'; see $0 --help"; }

# one_at_a_time NAME: waits until no other call of the same name runs in this clone.
one_at_a_time() {
  mkdir -p "$root/build"
  exec 9>"$root/build/$1.lock"
  flock -n 9 || { warn "waiting for another $1 in $root"; flock 9; }
}

# stage NAME COMMAND...: runs it and says in one line how long it took.
stage() {
  local name=$1 began=$SECONDS
  shift
  say "== $name"
  "$@" || { local code=$?; warn "== $name failed after $((SECONDS - began)) s"; return "$code"; }
  say "== $name: done in $((SECONDS - began)) s"
}

# quietly NAME COMMAND...: its output into build/NAME.log, shown only if it fails.
quietly() {
  local log=$root/build/$1.log
  shift
  mkdir -p "$root/build"
  "$@" >"$log" 2>&1 || { local code=$?; tail -n 40 "$log" >&2; warn "(all of it in $log)"; return "$code"; }
}
