"""Tensor files written byte by byte after the safetensors format's description, without this project's code.

Run at the root:
  /usr/bin/python3 tests/tensor/golden.py write tests/tensor/data
  /usr/bin/python3 tests/tensor/golden.py read FILE      prints what a file holds, as JSON
"""

import json
import pathlib
import struct
import sys

import numpy as np

TYPES = {"U8": "u1", "I32": "<i4", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BOOL": "?"}


def write(path, arrays, metadata):
    header, payload = {}, b""
    for name, (kind, array) in arrays.items():
        data = array.astype(TYPES[kind]).tobytes() if kind != "BF16" else array
        shape = list(array.shape) if kind != "BF16" else [len(data) // 2]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(payload), len(payload) + len(data)]}
        payload += data
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + payload)


def read(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    payload = content[8 + length :]
    out = {"metadata": header.pop("__metadata__"), "aligned": length % 8 == 0, "tensors": {}}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(payload[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        out["tensors"][name] = {"dtype": entry["dtype"], "values": values.tolist()}
    return out


def main():
    target = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "read":
        print(json.dumps(read(target)))
        return
    grid = np.arange(6).reshape(2, 3)
    # 1.0 and -2.5 in bfloat16 are the upper halves of their float32 patterns.
    bf16 = b"".join(struct.pack("<f", value)[2:] for value in (1.0, -2.5))
    arrays = {kind.lower(): (kind, grid % 2 if kind == "BOOL" else grid * 3) for kind in TYPES}
    arrays |= {"bf16": ("BF16", bf16), "scalar": ("F64", np.array(0.5)), "empty": ("F32", np.zeros((0, 4)))}
    write(target / "golden.safetensors", arrays, {"kind": "example"})


main()
