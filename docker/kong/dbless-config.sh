#!/usr/bin/env bash
# Writes the DB-less form of a decK file to stdout: dbless-config.sh kong.yml
#
# decK puts the value of a variable where the file says ${{ env "DECK_NAME" }}; Kong would take that text literally.
# Here it becomes {vault://env/deck_name}, which Kong looks up in its own environment. So no secret is ever written to
# a file, and a value may hold any character. Kong does this for referenceable fields only: those are the endpoints and
# the `api_token` of the two plugins.
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

placeholder='\$\{\{ *env +"(DECK_[A-Z0-9_]+)" *\}\}'

# Kong starts happily with a reference that it cannot resolve and hands the plugin an empty string: nothing would be
# billed while every request gets its answer. So a missing value stops the start.
names=$(grep -oE "$placeholder" "$file" | grep -oE 'DECK_[A-Z0-9_]+' | sort -u || true)
for name in $names; do
  if [[ -z ${!name:-} ]]; then fail "the environment variable $name, which $file asks for, is not set"; fi
done

upstream=${EXAMPLE_UPSTREAM:-http://httpbin.konghq.com}
if [[ ! $upstream =~ ^https?://[A-Za-z0-9.:-]+$ ]]; then
  fail 'EXAMPLE_UPSTREAM must be a scheme and a host, such as http://upstream:8080'
fi

config=$(sed -E \
  -e "s/$placeholder/{vault:\\/\\/env\\/\\L\\1\\E}/g" \
  -e "s|http://httpbin\\.konghq\\.com|$upstream|g" \
  "$file")
# shellcheck disable=SC2016 # the text itself is looked for
if grep -qF '${{' <<<"$config"; then
  fail "$file has a placeholder of another form than \${{ env \"DECK_NAME\" }}, which Kong would take literally"
fi
printf '%s\n' "$config"
