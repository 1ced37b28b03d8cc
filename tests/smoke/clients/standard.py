"""Standard clients, none of them ours: each must get the same answer for the same input."""
import base64
import json
import re
import shutil
import subprocess
import tempfile
import pathlib

from harness import (HERE, LENGTH, ROOT, Grpc, Manifest, Server, Skip, binary_body, binary_output, close, floats,
                     json_body, post, run)


def need(program):
    found = shutil.which(program)
    if not found:
        raise Skip(f"{program} is not installed")
    return found


def need_module(name):
    if not (HERE / "node_modules" / name).exists():
        raise Skip(f"npm's {name} is not installed (scripts/install-packages clients)")
    return need("node")


def reference(server, manifest, rows, count=1):
    """The answer to a JSON request by Python's own HTTP client."""
    connection = server.http()
    status, _, body = post(connection, manifest, json_body(manifest, rows, count))
    assert status == 200, body
    return tuple(json.loads(body)["outputs"][0]["data"])


def encoder(bundle, manifest, rows, count):
    """The encoder's output as libtorch's Python sees it, where that is installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    network = torch.jit.load(str(bundle / "server" / "encoder.pt"))
    with torch.no_grad():
        values = torch.tensor(floats(rows)).reshape(manifest.shape(count))
        return tuple(network(values).flatten().tolist())


def test_metadata_and_health(bundles):
    with Server(bundles.binary, bundles.first) as server:
        manifest = Manifest(bundles.first)
        assert server.get("/v2/health/live")[0] == 200
        assert server.get("/v2/health/ready")[0] == 200
        assert json.loads(server.get("/v2")[1])["name"] == "infoscissors"
        model = json.loads(server.get("/v2/models/net")[1])
        assert model["versions"] == [manifest.version]
        assert model["inputs"][0] == {"name": manifest.input["name"], "datatype": "FP32", "shape": manifest.input["shape"]}
        assert server.get(f"/v2/models/net/versions/{manifest.version}/ready")[0] == 200
        assert server.get("/v2/models/none/ready")[0] == 503


def test_rest_agrees_with_the_network(bundles):
    with Server(bundles.binary, bundles.first) as server:
        manifest = Manifest(bundles.first)
        rows = manifest.rows(3, 1)
        answer = reference(server, manifest, rows, 3)
        connection = server.http()
        body, length = binary_body(manifest, rows, 3, id="a1")
        status, headers, data = post(connection, manifest, body, length)
        assert status == 200, data
        document, output = binary_output(headers, data)
        assert document["id"] == "a1" and document["model_version"] == manifest.version
        assert close(floats(output), answer), "binary and JSON differ"
        status, headers, data = post(connection, manifest, rows, 0)
        assert status == 200 and close(floats(binary_output(headers, data)[1]), answer), "a raw body"
        expected = encoder(bundles.first, manifest, rows, 3)
        assert expected is None or close(answer, expected), "the served network differs from the exported one"


def test_python_grpcio(bundles):
    with Server(bundles.binary, bundles.first) as server, tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        rows = manifest.rows(2, 2)
        expected = reference(server, manifest, rows, 2)
        with grpc.channel(server.grpc) as channel:
            infer = grpc.method(channel, "ModelInfer")
            for typed in (False, True):
                response = infer(grpc.request(manifest, rows, 2, typed=typed, id="b"), timeout=20)
                assert response.id == "b" and list(response.outputs[0].shape) == [2] + manifest.output["shape"][1:]
                assert close(grpc.output(response), expected), f"typed={typed}"
                assert response.parameters["version_id"].string_param == manifest.version
            messages = grpc.messages
            assert grpc.method(channel, "ServerReady")(messages.ServerReadyRequest(), timeout=20).ready
            metadata = grpc.method(channel, "ModelMetadata")(messages.ModelMetadataRequest(name="net"), timeout=20)
            assert list(metadata.inputs[0].shape) == manifest.input["shape"]
            pinned = grpc.request(manifest, rows, 2)
            pinned.parameters["version_id"].string_param = "0000000000000000"
            code, message = grpc.code(infer, pinned)
            assert code == "NOT_FOUND" and manifest.version in message, (code, message)


def test_python_grpcio_streams(bundles):
    with Server(bundles.binary, bundles.first) as server, tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        good = grpc.request(manifest, manifest.rows(1, 3), id="good")
        bad = grpc.request(manifest, b"1234", id="bad")
        with grpc.channel(server.grpc) as channel:
            stream = grpc.method(channel, "ModelStreamInfer")
            answers = list(stream(iter([good, bad, good]), timeout=20))
        assert len(answers) == 3
        assert [bool(answer.error_message) for answer in answers] == [False, True, False], answers[1]
        assert close(grpc.output(answers[0].infer_response), grpc.output(answers[2].infer_response))


def test_curl(bundles):
    need("curl")
    with Server(bundles.binary, bundles.first) as server, tempfile.TemporaryDirectory() as work:
        manifest, work = Manifest(bundles.first), pathlib.Path(work)
        rows = manifest.rows(1, 4)
        expected = reference(server, manifest, rows)
        url = f"http://{server.rest}/v2/models/net/infer"
        (work / "body.json").write_bytes(json_body(manifest, rows))
        answer = json.loads(run("curl", "-sS", "--fail", "--data-binary", f"@{work / 'body.json'}", url))
        assert close(answer["outputs"][0]["data"], expected)
        body, length = binary_body(manifest, rows)
        (work / "body.bin").write_bytes(body)
        run("curl", "-sS", "--fail", "-H", f"{LENGTH}: {length}", "-D", work / "headers", "-o", work / "out",
            "--data-binary", f"@{work / 'body.bin'}", url)
        at = int(re.search(rf"(?i){LENGTH}: (\d+)", (work / "headers").read_text()).group(1))
        assert close(floats((work / "out").read_bytes()[at:]), expected)
        # Chunked, as a client sends that does not know the length.
        answer = json.loads(run("curl", "-sS", "--fail", "-H", "Transfer-Encoding: chunked", "-T", work / "body.json", "-X",
                                "POST", url))
        assert close(answer["outputs"][0]["data"], expected)


def test_grpc_js(bundles):
    node = need_module("@grpc/grpc-js")
    with Server(bundles.binary, bundles.first) as server:
        manifest = Manifest(bundles.first)
        rows = manifest.rows(1, 5)
        tensor = {"name": manifest.input["name"], "datatype": "FP32", "shape": manifest.shape(1)}
        request = {"model_name": "net", "id": "js", "inputs": [tensor],
                   "raw_input_contents": [base64.b64encode(rows).decode()]}
        command = [node, str(HERE / "grpc_js.js"), str(ROOT / "proto" / "open_inference_grpc.proto"), server.grpc]
        answer = json.loads(subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, timeout=60,
                                           check=True).stdout)
        assert answer.get("id") == "js", answer
        output = floats(base64.b64decode(answer["raw_output_contents"][0]))
        assert close(output, reference(server, manifest, rows))
        request["model_name"] = "none"
        answer = json.loads(subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, timeout=60,
                                           check=True).stdout)
        assert answer["code"] == 5, answer


def test_buf_curl(bundles):
    need_module("@bufbuild/buf")
    with Server(bundles.binary, bundles.first) as server:
        manifest = Manifest(bundles.first)
        rows = manifest.rows(1, 6)
        tensor = {"name": manifest.input["name"], "datatype": "FP32", "shape": manifest.shape(1)}
        request = {"modelName": "net", "inputs": [tensor], "rawInputContents": [base64.b64encode(rows).decode()]}
        buf = HERE / "node_modules" / ".bin" / "buf"
        url = f"http://{server.grpc}/inference.GRPCInferenceService/"
        # No schema: buf asks the server's reflection for it.
        common = ["curl", "--protocol", "grpc", "--http2-prior-knowledge"]
        answer = json.loads(run(buf, *common, "-d", json.dumps(request), url + "ModelInfer"))
        assert close(floats(base64.b64decode(answer["rawOutputContents"][0])), reference(server, manifest, rows))
        assert json.loads(run(buf, *common, url + "ServerLive")) == {"live": True}
        health = f"http://{server.grpc}/grpc.health.v1.Health/Check"
        assert json.loads(run(buf, *common, health)) == {"status": "SERVING"}


def grpc_frame(message):
    data = message.SerializeToString()
    return b"\0" + len(data).to_bytes(4, "big") + data


def test_h2load(bundles):
    need("h2load")
    with Server(bundles.binary, bundles.first, "--device-rate", "0") as server, tempfile.TemporaryDirectory() as work:
        manifest, work = Manifest(bundles.first), pathlib.Path(work)
        grpc = Grpc(work)
        (work / "frame").write_bytes(grpc_frame(grpc.request(manifest, manifest.rows(1, 7))))
        output = run("h2load", "-n", "400", "-c", "8", "-m", "4", "-t", "1", "-d", work / "frame", "-H",
                     "content-type: application/grpc", "-H", "te: trailers",
                     f"http://{server.grpc}/inference.GRPCInferenceService/ModelInfer")
        assert "400 succeeded, 0 failed, 0 errored, 0 timeout" in output, output
        assert server.counted("infoscissors_success_total") == 400, server.metrics()


def test_wrk(bundles):
    need("wrk")
    with Server(bundles.binary, bundles.first, "--device-rate", "0") as server, tempfile.TemporaryDirectory() as work:
        manifest, work = Manifest(bundles.first), pathlib.Path(work)
        (work / "rows").write_bytes(manifest.rows(1, 8))
        script = work / "post.lua"
        script.write_text(f"""
wrk.method = "POST"
wrk.headers["{LENGTH}"] = "0"
local file = io.open("{work / 'rows'}", "rb")
wrk.body = file:read("*a")
""")
        output = run("wrk", "-t1", "-c8", "-d2s", "-s", script, f"http://{server.rest}/v2/models/net/infer")
        assert "Non-2xx" not in output and "Socket errors" not in output, output
        assert int(re.search(r"(\d+) requests in", output).group(1)) > 20, output


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
