#!/usr/bin/env bash
# Writes the DB-less form of a decK file to stdout: dbless-config.sh kong.yml
#
# decK puts the value of a variable where the file says ${{ env "DECK_NAME" }}; Kong would take that text literally.
# Here it becomes '{vault://env/deck_name}', which Kong looks up in its own environment. So no secret is ever written to
# a file, and a value may hold any character. Kong does this for referenceable fields only, and only where the reference is
# the whole value: those are the endpoints and the `api_token` of the two plugins. Where a placeholder is a part of a value,
# the reference would be taken literally; that is refused.
#
# What is decK's own (_info, _konnect, _plugin_configs) is left out, since Kong refuses a file that has it.
#
# EXAMPLE_UPSTREAM, when set (for instance http://upstream:8080), takes the place of http://httpbin.konghq.com, so that
# the example needs nothing outside.
set -euo pipefail

fail() {
  echo "dbless-config.sh: $1" >&2
  exit 1
}

if [[ $# -ne 1 ]]; then fail 'usage: dbless-config.sh FILE'; fi
file=$1
if [[ ! -r $file ]]; then fail "$file cannot be read"; fi

# A top-level key, and what stands indented, listed or closed below it.
content=$(awk '
  /^[^[:space:]#}\]-]/ { is_of_deck = ($0 ~ /^["\047]?_(info|konnect|plugin_configs)["\047]?[[:space:]]*:/) }
  !is_of_deck
' "$file")
if grep -qE '^[[:space:]-]*["'\'']?_config["'\'']?[[:space:]]*:' <<<"$content"; then
  fail "$file has a plugin with _config, which only decK resolves: write its settings out where the plugin is"
fi

placeholder='\$\{\{ *env +"(DECK_[A-Z0-9_]+)" *\}\}'
# In quotes of its own, or all that stands behind a key or a dash; in a comment it is nothing.
in_quotes="([\"'])$placeholder\\1"
unquoted_value="^([[:space:]]*(-[[:space:]]+)*([^[:space:]#\"'{[]+:[[:space:]]+)?)$placeholder([[:space:]]*|[[:space:]]+#.*)$"

# Kong starts happily with a reference that it cannot resolve and hands the plugin an empty string: nothing would be
# billed while every request gets its answer. So a missing value stops the start.
names=$(grep -vE '^[[:space:]]*#' <<<"$content" | grep -oE "$placeholder" | grep -oE 'DECK_[A-Z0-9_]+' | sort -u || true)
for name in $names; do
  if [[ -z ${!name:-} ]]; then fail "the environment variable $name, which $file asks for, is not set"; fi
done

upstream=${EXAMPLE_UPSTREAM:-http://httpbin.konghq.com}
if [[ ! $upstream =~ ^https?://[A-Za-z0-9.:-]+$ ]]; then
  fail 'EXAMPLE_UPSTREAM must be a scheme and a host, such as http://upstream:8080'
fi

config=$(sed -E \
  -e '/^[[:space:]]*#/b' \
  -e "s/$in_quotes/\\1{vault:\\/\\/env\\/\\L\\2\\E}\\1/g" \
  -e "s/$unquoted_value/\\1'{vault:\\/\\/env\\/\\L\\4\\E}'\\5/" \
  -e "s|http://httpbin\\.konghq\\.com|$upstream|g" \
  <<<"$content")
code=$(grep -vE '^[[:space:]]*#' <<<"$config" || true)
if grep -qE "$placeholder" <<<"$code"; then
  part=$(grep -E "$placeholder" <<<"$code" | head -n 1)
  fail "in $file a placeholder is only a part of a value, where Kong looks nothing up:$part"
fi
# shellcheck disable=SC2016 # the text itself is looked for
if grep -qF '${{' <<<"$code"; then
  fail "$file has a placeholder of another form than \${{ env \"DECK_NAME\" }}, which Kong would take literally"
fi
printf '%s\n' "$config"
