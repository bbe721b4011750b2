#!/bin/sh
exec "${TBIN:?run me through make check or t/run}/vectortest" "$(dirname "$0")/data/embed-golden.ndjson"
