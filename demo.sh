#!/bin/sh
# Text -> records -> pre-training -> evaluation, on sample_data/.
# Writes to demo_output/ only, and starts by emptying it.
# `make demo` calls this after set-up; by hand: PYTHON=python3 ./demo.sh
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-python3}
# It runs on any machine; it is too small to gain from a GPU.
export CUDA_VISIBLE_DEVICES=''

run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

run rm -rf demo_output
run mkdir demo_output

run "$PYTHON" create_pretraining_data.py \
  --input_file=sample_data/corpus.txt \
  --output_file=demo_output/corpus.tfrecord \
  --vocab_file=sample_data/vocab.txt \
  --max_seq_length=64 \
  --max_predictions_per_seq=10 \
  --dupe_factor=20

run "$PYTHON" run_pretraining.py \
  --input_file=demo_output/corpus.tfrecord \
  --output_dir=demo_output/model \
  --bert_config_file=sample_data/bert_config.json \
  --do_train \
  --do_eval \
  --max_seq_length=64 \
  --max_predictions_per_seq=10 \
  --learning_rate=1e-3 \
  --num_train_steps=600 \
  --num_warmup_steps=60 \
  --save_checkpoints_steps=300 \
  --random_seed=1

run cat demo_output/model/eval_results.txt

cat <<END

The figures are for the records it was trained on: they show that training
works, not that the model knows English. Its curves:
$ $PYTHON -m tensorboard.main --logdir demo_output/model
END
