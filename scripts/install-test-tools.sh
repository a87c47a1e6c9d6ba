#!/usr/bin/env bash
# Installs the programs that tests use and npm cannot bring, where that is possible: as root on Debian and Ubuntu.
# Elsewhere it names what is missing. Either way it ends with 0: a test without its program is reported as skipped.
set -uo pipefail

# One line each: the command to look for, the Debian package that has it, what the tests do with it.
tools=(
  'curl|curl|run the commands of the documentation'
  'deck|deck|validate kong.yml'
  'openssl|openssl|make a certificate to test TLS with'
  'jq|jq|run the commands of the documentation'
  'chromium|chromium|use the console as people do'
  'pdftotext|poppler-utils|read invoices as a reader of PDF does'
)

missing=()
packages=()
for tool in "${tools[@]}"; do
  IFS='|' read -r command package purpose <<<"$tool"
  if ! command -v "$command" >/dev/null; then
    missing+=("$command (to $purpose)")
    packages+=("$package")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then exit 0; fi

give_up() {
  local IFS=,
  echo "Tests that need a program will be skipped, $1. Missing: ${missing[*]}" >&2
  exit 0
}

if ! command -v apt-get >/dev/null; then give_up 'since only Debian packages can be installed here'; fi
if [[ $(id -u) -ne 0 ]]; then give_up "since only root can install: apt-get install ${packages[*]}"; fi

# A minute for another apt run on the same machine to end; without it, a locked package list is an error.
install() {
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends \
    -o DPkg::Lock::Timeout=60 "${packages[@]}" </dev/null
}

echo "Installing what tests need: ${packages[*]}" >&2
# The lists of packages are fetched only where those at hand do not do.
output=$(install 2>&1 || { apt-get update --quiet && install; } 2>&1) && exit 0
printf '%s\n' "$output" | tail -n 5 >&2
give_up 'since apt-get could not install them'
