"""MB/s of Hugging Face's tokenizers on one thread. usage: tokenize_peer.py TOKENIZER.json TEXT whole|lines"""
import os
import statistics
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402

tokenizer = Tokenizer.from_file(sys.argv[1])
with open(sys.argv[2], encoding="utf-8", errors="replace", newline="") as file:
    text = file.read()
documents = text.splitlines(keepends=True) if sys.argv[3] == "lines" else [text]
rates = []
for _ in range(3):
    begun = time.perf_counter()
    tokenizer.encode_batch_fast(documents, add_special_tokens=False)
    rates.append(len(text.encode()) / 1e6 / (time.perf_counter() - begun))
print(statistics.median(rates))
