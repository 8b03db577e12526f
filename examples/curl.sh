#!/bin/sh
# Asks serve.py (or TensorFlow Serving) with curl: ./curl.sh [http://HOST:PORT]
set -eu
url=${1:-http://127.0.0.1:8501}
# With --api_key_file: add -H "Authorization: Bearer $KEY".
ask() { curl --silent --show-error --fail-with-body "$@"; }

ask "$url/v1/models/model"
echo
# Rows of one text each; a text from anywhere: let a tool quote it as JSON.
ask "$url/v1/models/model:predict" --json @- <<'END'
{"instances": ["I was charged two times.", {"text": "Where is my box?"}]}
END
echo
# The same as a column.
ask "$url/v1/models/model:predict" --json @- <<'END'
{"inputs": {"text": ["I was charged two times.", "Where is my box?"]}}
END
echo
