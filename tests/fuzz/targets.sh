#!/bin/bash
# Each target takes its corpus and 10 s of what libFuzzer makes of it, two of them at a time.
# tests/run: timeout 900
# tests/run: about 65
set -euo pipefail
exec scripts/fuzz --work "$TMPDIR" --seconds 10 --jobs 2
