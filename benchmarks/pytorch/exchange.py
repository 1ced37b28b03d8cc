"""Reads the tensor files (safetensors format) that benchmarks/speed writes."""

import json
import struct

import numpy
import torch

TYPES = {"U8": numpy.uint8, "I32": numpy.int32, "I64": numpy.int64, "F32": numpy.float32, "F64": numpy.float64}


class File:
    def __init__(self, path):
        with open(path, "rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(length))
            payload = stream.read()
        self.metadata = header.pop("__metadata__", {})
        self.tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            array = numpy.frombuffer(payload[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
            self.tensors[name] = torch.from_numpy(array.copy())

    def json(self, name):
        return json.loads(self.metadata[name])

    def __getitem__(self, name):
        return self.tensors[name]

    def state(self, prefix):
        """Tensors below a prefix, by the names PyTorch's modules have here."""
        return {name[len(prefix):].replace(".module.", "."): tensor
                for name, tensor in self.tensors.items() if name.startswith(prefix)}
