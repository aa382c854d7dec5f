#!/bin/bash
# The tests of several harts and changing code (tests/guest/races.t), half a second each.
MYNA_RACES_MS=${MYNA_RACES_MS:-500} exec "$(dirname "$0")/../guest/races.t"
