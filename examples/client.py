"""Asks serve.py for the labels of texts, with the package requests alone.

python client.py [--url=http://127.0.0.1:8501] [--model=model] < texts.txt
"""

import argparse
import itertools
import json
import os
import sys

import requests

_ROWS = 32  # of a request; the server puts those of all requests together


def main() -> None:
    """Prints a line of JSON for each line of standard input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    parser.add_argument("--model", default="model")
    args = parser.parse_args()
    with requests.Session() as session:
        # Of --api_key_file, if the server wants one.
        if key := os.environ.get("BERT_API_KEY"):
            session.headers["Authorization"] = f"Bearer {key}"
        lines = (line.rstrip("\n") for line in sys.stdin)
        while texts := list(itertools.islice(lines, _ROWS)):
            for answer in ask(session, args, texts):
                print(json.dumps(answer, ensure_ascii=False))


def ask(
    session: requests.Session, args: argparse.Namespace, texts: list[str]
) -> list[dict]:
    """Returns the server's answer to each text."""
    try:
        reply = session.post(
            f"{args.url}/v1/models/{args.model}:predict",
            json={"instances": texts},
            timeout=90,  # more than --request_timeout_s
        )
    except requests.RequestException as fault:
        sys.exit(f"error: {args.url}: {fault}")
    if not reply.ok:
        sys.exit(f"error: {reply.status_code}: {reply.json()['error']}")
    return reply.json()["predictions"]


if __name__ == "__main__":
    main()
