#!/usr/bin/env python3
"""Makes the goldens of this folder: tiny checkpoints with random weights as Hugging Face's transformers saves them, and
the logits that it computes from them, in logits.json beside. Needs torch, transformers, safetensors and accelerate from
PyPI; made with torch 2.11 and transformers 5.24.0, on a CPU, without torch.compile (TORCHDYNAMO_DISABLE=1).

usage: make.py
"""
import json
import os
import shutil

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitNetConfig, BitNetForCausalLM, LlamaConfig, LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2)
ONLINE = {"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "online"}
# As Llama 3.1's, for a context of 8: of the two frequencies of a head of 4 one is blended and one divided.
SCALED_POSITIONS = {"rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0, "original_max_position_embeddings": 8}
# The blocks of 1bitLLM's own code are those of BitNetForCausalLM with SiLU, under other names.
NAMES_OF_1BITLLM = {"attn_sub_norm": "inner_attn_ln", "ffn_sub_norm": "ffn_layernorm"}


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if tensor.dim() == 1:  # gains that are not all 1
                tensor.uniform_(0.5, 1.5, generator=generator)
            else:
                tensor.normal_(0, tensor.shape[1] ** -0.5, generator=generator)


def read_config(folder):
    with open(os.path.join(folder, "config.json")) as file:
        return json.load(file)


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def logits(folder, tokens):
    """As the checkpoint is loaded from the folder: its weights in f32, whatever they are stored in."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        return model(torch.tensor(tokens)).logits


def make(name, model, seed, dtype=torch.float32, quantized=False, shard="1GB", after=None):
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    randomize(model, seed)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    generation = os.path.join(folder, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    if quantized:
        write_json(os.path.join(folder, "config.json"), read_config(folder) | {"quantization_config": ONLINE})
    generator = torch.Generator().manual_seed(seed + 1)
    tokens = torch.randint(0, SHAPE["vocab_size"], (2, 12), generator=generator).tolist()
    said = [[[float(f"{x:.8g}") for x in row] for row in sequence] for sequence in logits(folder, tokens).tolist()]
    if after is not None:
        after(folder)
    with open(os.path.join(folder, "logits.json"), "w") as file:
        json.dump({"tokens": tokens, "logits": said}, file, separators=(",", ":"))
        file.write("\n")


def as_transformers_4(folder):
    """The keys of before transformers 5: rope_theta and rope_scaling in place of rope_parameters."""
    config = read_config(folder)
    rope = config.pop("rope_parameters")
    write_json(os.path.join(folder, "config.json"),
               config | {"rope_theta": rope["rope_theta"], "rope_scaling": None, "torch_dtype": config.pop("dtype")})


def as_1bitllm(folder):
    """Saved as 1bitLLM/bitnet_b1_58-* are: a llama by its model_type, with names and bits of its own."""
    as_transformers_4(folder)
    config = read_config(folder)
    del config["quantization_config"]
    write_json(os.path.join(folder, "config.json"),
               config | {"architectures": ["BitnetForCausalLM"], "model_type": "llama", "input_bits": 8,
                         "weight_bits": 1, "pad_token_id": 31})
    path = os.path.join(folder, "model.safetensors")
    tensors = {}
    for name, tensor in load_file(path).items():
        for theirs, other in NAMES_OF_1BITLLM.items():
            name = name.replace(theirs, other)
        tensors[name] = tensor
    save_file(tensors, path, {"format": "pt"})


make("llama", LlamaForCausalLM(LlamaConfig(**SHAPE, rope_theta=5e4, rms_norm_eps=1e-5)), 11)
make("llama_tied", LlamaForCausalLM(LlamaConfig(**SHAPE, tie_word_embeddings=True)), 12, torch.bfloat16, shard="4KB",
     after=as_transformers_4)
make("llama_scaled", LlamaForCausalLM(LlamaConfig(**SHAPE, rope_parameters=SCALED_POSITIONS)), 15)
make("bitnet", BitNetForCausalLM(BitNetConfig(**SHAPE, tie_word_embeddings=True)), 13, torch.float16, quantized=True)
make("bitnet_1bitllm", BitNetForCausalLM(BitNetConfig(**SHAPE, hidden_act="silu", rope_theta=1e4)), 14,
     quantized=True, after=as_1bitllm)
