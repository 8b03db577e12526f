// Labels texts with what compress_model.py wrote as ONNX: JavaScript, no Python.
//
//     node predict.mjs FOLDER < texts.txt
//
// FOLDER has model.onnx and assets/. A line of standard input is a text; for
// each, a line of JSON with the probability of each label. `npm install
// --ignore-scripts` beside this file gets the two packages (the script of one
// downloads what GPUs need).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { Tokenizer } from "@huggingface/tokenizers";
import ort from "onnxruntime-node";

// Returns the tokenizer of a folder's vocab.txt, as BERT's is.
function makeTokenizer(pieces, doLowerCase) {
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  return new Tokenizer(
    {
      added_tokens: [],
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        lowercase: doLowerCase,
        strip_accents: doLowerCase,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: null,
      decoder: null,
      model: {
        type: "WordPiece",
        vocab,
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 200,
      },
    },
    Object.fromEntries(
      special.map((piece) => [`${piece.slice(1, -1).toLowerCase()}_token`, piece]),
    ),
  );
}

function readLines(...path) {
  const lines = readFileSync(join(...path), "utf8").split("\n");
  return lines.slice(0, lines.at(-1) === "" ? -1 : undefined);
}

// Returns an int32 tensor of one row.
function row(numbers) {
  return new ort.Tensor("int32", Int32Array.from(numbers), [1, numbers.length]);
}

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node predict.mjs FOLDER < texts.txt");
  process.exit(1);
}
const task = JSON.parse(readFileSync(join(folder, "assets", "task.json")));
const pieces = readLines(folder, "assets", "vocab.txt");
const labels = readLines(folder, "assets", "labels.txt");
const tokenizer = makeTokenizer(pieces, task.do_lower_case);
const [cls, sep] = ["[CLS]", "[SEP]"].map((piece) => pieces.indexOf(piece));
const session = await ort.InferenceSession.create(join(folder, "model.onnx"));

for await (const line of createInterface({ input: process.stdin })) {
  const found = tokenizer.encode(line, { add_special_tokens: false }).ids;
  const ids = [cls, ...found.slice(0, task.max_seq_length - 2), sep];
  const { probabilities } = await session.run({
    input_ids: row(ids),
    input_mask: row(ids.map(() => 1)),
    segment_ids: row(ids.map(() => 0)),
  });
  const shown = labels.map((label, i) => [label, probabilities.data[i]]);
  console.log(JSON.stringify(Object.fromEntries(shown)));
}
