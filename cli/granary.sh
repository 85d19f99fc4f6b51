#!/bin/sh
# `make setup` puts this into the virtual environment; it finds the checkout by its own place, whatever directory it is
# called from. -P: modules of that directory are not taken for ours.
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd) || exit 1
PYTHONPATH="$root" exec "$root/.venv/bin/python" -P -m cli "$@"
