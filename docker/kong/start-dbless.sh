#!/usr/bin/env bash
# Starts Kong without a database, with the decK file /etc/kong/kong.yml as its configuration.
set -euo pipefail

# The prefix is the one place that the image's user can write to, also when the container is read-only.
export KONG_DATABASE=off KONG_DECLARATIVE_CONFIG="$KONG_PREFIX/kong.dbless.yml"
bash "$(dirname "${BASH_SOURCE[0]}")/dbless-config.sh" /etc/kong/kong.yml >"$KONG_DECLARATIVE_CONFIG"
exec /entrypoint.sh kong docker-start
