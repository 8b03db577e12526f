"""The original's Python functions, for code that was written for it.

`run_classifier`, `run_squad`, `create_pretraining_data` and `extract_features`
have their names (`names`); here is what stands behind them. Each is a few lines
round the one algorithm of this project, with the original's arguments and
results (docs/python_api.md). They take any tokenizer that has `tokenize` and
`convert_tokens_to_ids`, so a token stands for its id until the very end.
"""
