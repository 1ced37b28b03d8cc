#!/usr/bin/python3
"""The same encoder behind a plain Python server, to compare with: python3-grpcio, python3-torch, the same protocol.

What one would write in an afternoon, done properly: the generated messages, a thread pool, raw tensors without a copy where
NumPy allows it, inference mode, a version pin that is repeated. No batching, no TLS, no limits.

  python_server.py BUNDLE/server [--port 0] [--threads 1] [--workers 16]

Prints `ready grpc=HOST:PORT`. The messages are compiled with protoc when it starts.
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc
import numpy
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_messages():
    """The protocol's messages from proto/, compiled into a directory that does not stay."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["protoc", f"-I{ROOT / 'proto'}", f"--python_out={directory}", "open_inference_grpc.proto"], check=True
        )
        sys.path.insert(0, directory)
        import open_inference_grpc_pb2 as messages
    return messages


def input_of(request, name):
    for tensor, raw in zip(request.inputs, request.raw_input_contents):
        if tensor.name == name:
            return tensor, raw
    raise ValueError(f"there is no input {name}")


def array_of(request, name):
    """The input as float32, dequantised where it travelled as INT8."""
    tensor, raw = input_of(request, name)
    shape = list(tensor.shape)
    if tensor.datatype == "FP32":
        return numpy.frombuffer(raw, numpy.float32).reshape(shape)
    if tensor.datatype == "FP16":
        return numpy.frombuffer(raw, numpy.float16).reshape(shape).astype(numpy.float32)
    if tensor.datatype == "INT8":
        rows = (shape[0],) + (1,) * (len(shape) - 1)
        scale = array_of(request, name + "_scale").reshape(rows)
        zero = array_of(request, name + "_zero_point").reshape(rows)
        return (numpy.frombuffer(raw, numpy.int8).reshape(shape).astype(numpy.float32) - zero) * scale
    raise ValueError(f"datatype {tensor.datatype} is not supported")


class Service:
    def __init__(self, directory, messages):
        self.messages = messages
        self.manifest = json.loads((directory / "manifest.json").read_text())
        self.network = torch.jit.load(str(directory / "encoder.pt")).eval()
        self.input = self.manifest["inputs"][0]["name"]
        self.output = self.manifest["outputs"][0]["name"]

    def infer(self, request, context):
        pinned = request.parameters["version_id"].string_param if "version_id" in request.parameters else ""
        if request.model_name != self.manifest["model"] or pinned not in ("", self.manifest["version"]):
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is only {self.manifest['model']} {self.manifest['version']}")
        try:
            rows = array_of(request, self.input)
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        with torch.inference_mode():
            feature = self.network(torch.from_numpy(numpy.array(rows, copy=not rows.flags.writeable))).numpy()
        return self.answer(request, feature)

    def answer(self, request, feature):
        response = self.messages.ModelInferResponse(
            model_name=request.model_name, model_version=self.manifest["version"], id=request.id
        )
        response.parameters["version_id"].string_param = self.manifest["version"]
        response.outputs.add(name=self.output, datatype="FP32", shape=feature.shape)
        response.raw_output_contents.append(numpy.ascontiguousarray(feature).tobytes())
        return response

    def handler(self):
        return grpc.method_handlers_generic_handler(
            "inference.GRPCInferenceService",
            {
                "ModelInfer": grpc.unary_unary_rpc_method_handler(
                    self.infer,
                    request_deserializer=self.messages.ModelInferRequest.FromString,
                    response_serializer=self.messages.ModelInferResponse.SerializeToString,
                )
            },
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server_half", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of one operation")
    parser.add_argument("--workers", type=int, default=16, help="requests at once")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    service = Service(arguments.server_half, load_messages())
    server = grpc.server(
        futures.ThreadPoolExecutor(arguments.workers), options=[("grpc.max_receive_message_length", 64 << 20)]
    )
    server.add_generic_rpc_handlers((service.handler(),))
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    print(f"ready grpc=127.0.0.1:{port}", flush=True)
    stopped.wait()
    server.stop(grace=2).wait()


if __name__ == "__main__":
    main()
