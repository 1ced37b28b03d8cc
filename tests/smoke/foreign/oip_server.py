#!/usr/bin/env python3
"""A server of the Open Inference Protocol that knows nothing of this project: an encoder's TorchScript file behind
python3-grpcio. It checks no version, tells no times, and calls its tensors what it likes.

Usage: oip_server.py STUBS ENCODER MODEL {raw|typed}
STUBS is a folder with open_inference_grpc_pb2.py. Prints its port, ends when its standard input does.
"""
import sys
from concurrent import futures

import grpc
import numpy
import torch

sys.path.insert(0, sys.argv[1])
import open_inference_grpc_pb2 as oip  # noqa: E402

encoder, model, form = torch.jit.load(sys.argv[2]), sys.argv[3], sys.argv[4]
torch.set_num_threads(1)
TYPES = {"FP32": numpy.float32, "FP16": numpy.float16, "INT8": numpy.int8}


def infer(request, context):
    if request.model_name != model:
        context.abort(grpc.StatusCode.NOT_FOUND, f"no model '{request.model_name}'")
    arrays = {}
    for tensor, raw in zip(request.inputs, request.raw_input_contents):
        array = numpy.frombuffer(raw, TYPES[tensor.datatype]).reshape(list(tensor.shape))
        arrays[tensor.name] = array.astype(numpy.float32)
    values = arrays["INPUT__0"]
    if "INPUT__0_scale" in arrays:
        column = [-1] + [1] * (values.ndim - 1)
        zero, scale = arrays["INPUT__0_zero_point"].reshape(column), arrays["INPUT__0_scale"].reshape(column)
        values = (values - zero) * scale
    with torch.no_grad():
        feature = encoder(torch.from_numpy(values)).numpy()
    response = oip.ModelInferResponse(model_name=model, model_version="1")
    output = response.outputs.add(name="OUTPUT__0", datatype="FP32", shape=feature.shape)
    if form == "raw":
        response.raw_output_contents.append(feature.tobytes())
    else:
        output.contents.fp32_contents.extend(feature.flatten().tolist())
    return response


def metadata(request, context):
    if request.name != model:
        context.abort(grpc.StatusCode.NOT_FOUND, f"no model '{request.name}'")
    response = oip.ModelMetadataResponse(name=model, versions=["1"], platform="pytorch")
    response.inputs.add(name="INPUT__0", datatype="FP32", shape=[-1, -1, -1, -1])
    response.outputs.add(name="OUTPUT__0", datatype="FP32", shape=[-1, -1])
    return response


def method(function, request):
    return grpc.unary_unary_rpc_method_handler(
        function, request_deserializer=request.FromString, response_serializer=lambda answer: answer.SerializeToString())


server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {
    "ModelInfer": method(infer, oip.ModelInferRequest),
    "ModelMetadata": method(metadata, oip.ModelMetadataRequest),
})])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
