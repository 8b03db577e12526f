"""A pipeline of Hugging Face transformers behind the server that serve.py has.

python hf_server.py --model=FOLDER --port=N [--batch_size=8]

Starlette and uvicorn, one thread that computes; the paths that a client needs.
"""

import argparse
import asyncio
import concurrent.futures

import transformers
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


def main() -> None:
    """Loads the model and answers until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--batch_size", type=int, help="default: its own")
    args = parser.parse_args()
    options = {"batch_size": args.batch_size} if args.batch_size else {}
    classify = transformers.pipeline(
        "text-classification", model=args.model, device="cpu"
    )
    thread = concurrent.futures.ThreadPoolExecutor(max_workers=1)

    def compute(texts):
        return classify(
            texts, truncation=True, max_length=128, top_k=None, **options
        )

    async def predict(request):
        texts = (await request.json())["instances"]
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(thread, compute, texts)
        return JSONResponse({"predictions": found})

    async def health(_):
        return PlainTextResponse("ok")

    app = Starlette(
        routes=[
            Route("/v1/models/model:predict", predict, methods=["POST"]),
            Route("/healthz", health),
        ]
    )
    uvicorn.run(app, port=args.port, log_level="warning")


if __name__ == "__main__":
    main()
