#!/usr/bin/env python3
"""Makes the goldens of this folder: small tokenizers, odd texts, and the ids that Hugging Face's tokenizers and Google's
sentencepiece give for them. Needs both from PyPI; made with tokenizers 0.23.3 and sentencepiece 0.2.3.

usage: make.py TEXT...      texts to train on; the committed ones come from this project's own READMEs
       make.py              the ids alone anew, by the tokenizers that lie here
"""
import base64
import io
import json
import os
import sys

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace("{1,3}", "")

SPACES = [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
NEAR_SPACES = sorted({c + d for c in [*SPACES, 0x180E, 0x1C, 0x1F, 0x200C, 0x2060, 0xFEFF] for d in (-1, 0, 1)})

TEXTS = {
    "empty": b"",
    "one byte": b"x",
    "prose": b"The runs of a sweep are planned before anything is trained; it's what we'll bet on, isn't it?",
    "spaces": b"  two   three    and\tone\t\ttwo  \n   \n\n end  ",
    "spaces at the end": b"words and then    ",
    "newlines": b"\n\n\r\n\n \n",
    "crlf": b"a line\r\nanother\r\n\r\nlast\r",
    "digits": b"1 12 123 1234 12345 3.14159 1,000,000 0x1F 10e-5",
    "contractions": "I'm you'RE he'S we'll they'D can't 'tis don\u2019t".encode(),
    "accents": "na\u00efve fa\u00e7ade \u00dcber stra\u00dfe \u0141\u00f3d\u017a \u017dlut\u00fd".encode(),
    "combining": "e\u0301 n\u0303 A\u030a \u1e9b\u0323 q\u0307\u0323".encode(),
    "greek and cyrillic": "\u03b1\u03b2\u03b3 \u0391\u0392\u0393 \u043c\u043e\u0434\u0435\u043b\u044c".encode(),
    "chinese": "\u4f4e\u6bd4\u7279\u6a21\u578b\uff0c\u8bad\u7ec3\u3002\uff11\uff12\uff13".encode(),
    "japanese": "\u30c7\u30fc\u30bf\u306e\u6d41\u308c\u3092\u898b\u308b".encode(),
    "korean": "\ubaa8\ub378\uc744 \ud6c8\ub828\ud569\ub2c8\ub2e4 \u1112\u1161\u11ab".encode(),
    "arabic and hebrew": "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd".encode(),
    "devanagari": "\u0928\u092e\u0938\u094d\u0924\u0947".encode(),
    "emoji": "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f".encode(),
    "unicode spaces": "a\u00a0b\u2003c\u3000d\u200be\u180ef\u2028g\u0085h".encode(),
    "mathematics": "\u2200x\u2208\u211d: x\u00b2 \u2265 0 \u2227 \U0001d539\U0001d540\U0001d54b \u00bd \u2167".encode(),
    "ligatures": "\ufb01le o\ufb03ce \u01c6 \u2126 \u212b".encode(),
    "controls": bytes(range(1, 32)) + b"\x7f",
    "nul": b"a\0b\0\0c",
    "control tokens": b"<s> </s> <|endoftext|> <unk> <0x0A> <pad>",
    "block": "\u2581lower one eighth\u2581 block".encode(),
    "added": b"a<tool>b<tool><tool_end> <tool_ <tool>",
    "code": b"for (size_t i = 0; i < n; ++i) { sum += a[i] * b[i]; }  // O(n)\n#include <cmath>\n",
    "path": b"https://example.org/a/b?c=d&e=%20f#g  C:\\Temp\\x.txt  user@example.org",
    "long word": b"ab" * 700 + b"=" * 500,
    "marks": b"!!! ??? ... --- ___ ((()))[]{} <<>> \"'`\"'` @#$%^&*",
    "all spaces and what is near": "".join(f"x{chr(c)}'s{chr(c)}{chr(c)} 1" for c in NEAR_SPACES).encode(),
    "bom": b"\xef\xbb\xbfa text",
}
# What no Python library takes as text; tested without goldens.
assert all(t.decode() is not None for t in TEXTS.values())


def byte_bpe(texts, pattern, vocab, specials, added=(), nfc=False, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    tokenizer.pre_tokenizer = level if pattern is None else pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=list(specials), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in added])
    return tokenizer


def without_bytes(tokenizer, missing):
    """As GPT-NeoX's: some bytes have no token."""
    document = json.loads(tokenizer.to_str())
    vocab = document["model"]["vocab"]
    letters = bytes_to_letters()
    gone = {letters[b] for b in missing}
    for token in [t for t in vocab if set(t) & gone]:
        del vocab[token]
    document["model"]["merges"] = [m for m in document["model"]["merges"] if not set("".join(m)) & gone]
    ids = {token: i for i, token in enumerate(sorted(vocab, key=vocab.get))}
    document["model"]["vocab"] = ids
    for added in document["added_tokens"]:
        added["id"] = ids[added["content"]]
    return Tokenizer.from_str(json.dumps(document))


def bytes_to_letters():
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in visible]
    return {b: chr(b) for b in visible} | {b: chr(256 + i) for i, b in enumerate(others)}


def sentence_piece(texts, **settings):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in texts for line in text.splitlines() if line]), model_writer=model,
        num_threads=1, minloglevel=2, **settings)
    return model.getvalue()


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def ranges_of(expression):
    """The characters that an expression matches, as [first, last]; none of \\x01, which stands around them."""
    split, ranges = pre_tokenizers.Split(Regex(expression), "isolated"), []
    for c in [*range(2, 0xD800), *range(0xE000, 0x110000)]:
        if len(split.pre_tokenize_str(f"\x01{chr(c)}\x01")) < 3:
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return ranges


def trained_bpes(texts):
    bpes = {
        "gpt2.json": byte_bpe(texts, None, 384, ["<|endoftext|>"]),
        "llama3.json": byte_bpe(texts, LLAMA3, 384, ["<|begin_of_text|>", "<|end_of_text|>"],
                                added=["<tool>", "<tool_end>", "  "], ignore_merges=True),
        "qwen.json": byte_bpe(texts, QWEN, 384, ["<|endoftext|>", "<|im_end|>"], nfc=True),
    }
    bpes["neox.json"] = without_bytes(bpes["gpt2.json"], [0xC0, 0xC1, *range(0xF5, 0x100), ord("Q"), 0x01])
    for name, tokenizer in bpes.items():
        write(name, json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True).encode())


def trained_pieces(texts):
    write("bpe.model", sentence_piece(texts, vocab_size=400, model_type="bpe", byte_fallback=True,
                                      normalization_rule_name="identity", add_dummy_prefix=False,
                                      remove_extra_whitespaces=False))
    write("unigram.model", sentence_piece(texts, vocab_size=200, model_type="unigram", character_coverage=0.999,
                                          normalization_rule_name="identity", user_defined_symbols=["<tool>"]))


def main():
    texts = [open(path, encoding="utf-8").read() for path in sys.argv[1:]]
    if texts:
        trained_bpes(texts)
        trained_pieces(texts)
    golden = {"texts": {name: base64.b64encode(text).decode() for name, text in TEXTS.items()},
              "spaces": ranges_of(r"\s"), "ids": {}}
    for name in ["gpt2.json", "llama3.json", "qwen.json", "neox.json"]:
        tokenizer = Tokenizer.from_file(os.path.join(HERE, name))
        special = {t for t, added in tokenizer.get_added_tokens_decoder().items() if added.special}
        golden["ids"][name] = {}
        for key, text in TEXTS.items():
            ids = tokenizer.encode(text.decode(), add_special_tokens=False).ids
            if not special & set(ids):  # the library finds control tokens in a text; we never do
                golden["ids"][name][key] = ids
    for name in ["bpe.model", "unigram.model"]:
        processor = sentencepiece.SentencePieceProcessor(model_file=os.path.join(HERE, name))
        golden["ids"][name] = {key: processor.encode(text) for key, text in TEXTS.items()}
    with open(os.path.join(HERE, "ids.json"), "w", encoding="utf-8") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main()
