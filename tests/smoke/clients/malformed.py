"""Requests that are none: each gets its exact code, the server goes on and its memory stays where it was."""
import errno
import json
import pathlib
import socket
import struct
import tempfile

from harness import LENGTH, Grpc, Manifest, Server, binary_body, json_body, post

# What a name may not be.
NAMES = {"nul": "a\0b", "path": "../../etc/passwd", "megabyte": "x" * (1 << 20), "newline": "a\nb"}


def grpc_cases(grpc, manifest):
    """(name, request, code)"""
    rows = manifest.rows(1, 1)
    full = manifest.shape(1)

    def request(**changes):
        made = grpc.messages.ModelInferRequest(model_name=changes.pop("model", "net"))
        tensor = made.inputs.add(name=changes.pop("name", manifest.input["name"]),
                                 datatype=changes.pop("datatype", "FP32"), shape=changes.pop("shape", full))
        raw = changes.pop("raw", rows)
        if raw is not None:
            made.raw_input_contents.append(raw)
        assert not changes
        return made, tensor

    def shape(*sizes):
        return request(shape=list(sizes))[0]

    yield "overflowing shape", shape(2**62, 4, 2, 2), "INVALID_ARGUMENT"
    yield "shape that wraps to the right size", shape(1 + 2**62, *full[1:]), "INVALID_ARGUMENT"
    yield "negative size", shape(-1, *full[1:]), "INVALID_ARGUMENT"
    yield "zero rows", request(shape=[0] + full[1:], raw=b"")[0], "INVALID_ARGUMENT"
    yield "rank 10^6", request(shape=[1] * 10**6)[0], "INVALID_ARGUMENT"
    yield "no shape", request(shape=[])[0], "INVALID_ARGUMENT"
    yield "other shape of the same size", shape(1, manifest.row), "INVALID_ARGUMENT"
    yield "a byte too few", request(raw=rows[:-1])[0], "INVALID_ARGUMENT"
    yield "a row too many", request(raw=rows + rows)[0], "INVALID_ARGUMENT"
    yield "no bytes", request(raw=b"")[0], "INVALID_ARGUMENT"
    yield "no data", request(raw=None)[0], "INVALID_ARGUMENT"
    yield "wrong datatype", request(datatype="INT64", raw=rows + rows)[0], "INVALID_ARGUMENT"
    yield "no such datatype", request(datatype="FP31")[0], "INVALID_ARGUMENT"
    yield "half the datatype", request(datatype="FP16")[0], "INVALID_ARGUMENT"
    yield "other input", request(name="other")[0], "INVALID_ARGUMENT"
    yield "no inputs", grpc.messages.ModelInferRequest(model_name="net"), "INVALID_ARGUMENT"
    made, tensor = request()
    made.inputs.append(tensor)
    made.raw_input_contents.append(rows)
    yield "input twice", made, "INVALID_ARGUMENT"
    made, _ = request()
    made.inputs.add(name="extra", datatype="FP32", shape=[1, 1])
    made.raw_input_contents.append(b"1234")
    yield "extra input", made, "INVALID_ARGUMENT"
    made, _ = request()
    made.raw_input_contents.append(rows)
    yield "more raw contents than inputs", made, "INVALID_ARGUMENT"
    made, tensor = request()
    tensor.contents.fp32_contents.append(1)
    yield "raw and typed contents", made, "INVALID_ARGUMENT"
    made, tensor = request(raw=None)
    tensor.contents.int_contents.append(1)
    yield "contents of another datatype", made, "INVALID_ARGUMENT"
    for value in ("nan", "inf", "-inf"):
        made, _ = request(raw=rows[:-4] + struct.pack("<f", float(value)))
        yield value, made, "INVALID_ARGUMENT"
    made, _ = request(datatype="INT8", raw=bytes(manifest.row))
    yield "quantised without its scale", made, "INVALID_ARGUMENT"
    made, _ = request()
    for _ in range(10**5):
        made.outputs.add()
    yield "10^5 requested outputs", made, "INVALID_ARGUMENT"
    made, _ = request()
    made.outputs.add(name="other")
    yield "no such output", made, "INVALID_ARGUMENT"
    made, _ = request()
    for i in range(1000):
        made.parameters[str(i)].int64_param = i
    yield "1000 parameters", made, "INVALID_ARGUMENT"
    made, _ = request()
    made.inputs[0].parameters["shared_memory_region"].string_param = "x"
    yield "shared memory", made, "UNIMPLEMENTED"
    yield "unknown model", request(model="other")[0], "NOT_FOUND"
    yield "unknown version", grpc.request(manifest, rows, model_version="7"), "NOT_FOUND"
    for key, name in NAMES.items():
        wanted = "NOT_FOUND" if key == "path" else "INVALID_ARGUMENT"
        # A megabyte may also be too long a message.
        yield f"model's name: {key}", request(model=name)[0], (wanted, "RESOURCE_EXHAUSTED")
        yield f"input's name: {key}", request(name=name)[0], ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    yield "too long a message", request(shape=[10**4] + full[1:], raw=bytes(64 << 20))[0], "RESOURCE_EXHAUSTED"


def rest_cases(manifest):
    """(name, path, body, headers, status)"""
    rows = manifest.rows(1, 1)
    infer = "/v2/models/net/infer"
    tensor = {"name": manifest.input["name"], "shape": manifest.shape(1), "datatype": "FP32"}

    def document(**changes):
        return json.dumps({"inputs": [{**tensor, "data": [0] * manifest.row, **changes}]}).encode()

    yield "no JSON", infer, b"{", {}, 400
    yield "no body", infer, b"", {}, 400
    yield "a list", infer, b"[]", {}, 400
    yield "depth", infer, b'{"x":' + b"[" * 101, {}, 400
    yield "great depth", infer, b'{"x":' + b"[" * 10000, {}, 400
    yield "NaN", infer, document().replace(b"[0,", b"[NaN,"), {}, 400
    yield "infinity", infer, document().replace(b"[0,", b"[1e999,"), {}, 400
    yield "overflowing shape", infer, document(shape=[2**62, 4, 2, 2]), {}, 400
    yield "wrapping shape", infer, document(shape=[2**64 + 1] + manifest.shape(1)[1:]), {}, 400
    yield "negative size", infer, document(shape=[-1] + manifest.shape(1)[1:]), {}, 400
    yield "zero rows", infer, document(shape=[0] + manifest.shape(1)[1:], data=[]), {}, 400
    yield "rank", infer, document(shape=[1] * 1000), {}, 400
    yield "too little data", infer, document(data=[0]), {}, 400
    yield "text in data", infer, document(data=["0"] * manifest.row), {}, 400
    yield "ragged data", infer, document(data=[[0, 0], [0]]), {}, 400
    yield "no such datatype", infer, document(datatype="FP31"), {}, 400
    yield "wrong datatype", infer, document(datatype="INT64"), {}, 400
    yield "other input", infer, document(name="other"), {}, 400
    yield "input twice", infer, json.dumps({"inputs": [{**tensor, "data": [0] * manifest.row}] * 2}).encode(), {}, 400
    yield "a thousand outputs", infer, document()[:-1] + b',"outputs":[' + b'{"name":"v"},' * 999 + b'{"name":"v"}]}', {}, 400
    yield "shared memory", infer, document(parameters={"shared_memory_region": "x"}), {}, 501
    yield "unknown model", "/v2/models/other/infer", document(), {}, 404
    yield "unknown version", "/v2/models/net/versions/7/infer", document(), {}, 404
    yield "unknown path", "/v2/model/net/infer", document(), {}, 404
    yield "NUL in the path", "/v2/models/a%00b/infer", document(), {}, 400
    yield "a parent's path", "/v2/models/..%2f..%2fetc/infer", document(), {}, 404
    yield "a long name", f"/v2/models/{'x' * 2000}/infer", document(), {}, 400
    yield "a broken escape", "/v2/models/%zz/infer", document(), {}, 400
    yield "compressed", infer, document(), {"Content-Encoding": "gzip"}, 501
    body, length = binary_body(manifest, rows)
    for wrong in ("-1", "x", "", "99999999999999999999", str(len(body) + 1), "0x10", "1e3"):
        yield f"length of the JSON: '{wrong}'", infer, body, {LENGTH: wrong}, 400
    yield "a byte too few", infer, body[:-1], {LENGTH: str(length)}, 400
    yield "a byte too many", infer, body + b"x", {LENGTH: str(length)}, 400
    yield "raw body of no whole row", infer, rows[:-1], {LENGTH: "0"}, 400
    not_finite = rows[:-4] + struct.pack("<f", float("nan"))
    yield "NaN in binary", infer, binary_body(manifest, not_finite)[0], {LENGTH: str(length)}, 400
    yield "too long", infer, bytes(64 << 20), {}, 413


def check_rest(server, manifest):
    problems = []
    for name, path, body, headers, wanted in rest_cases(manifest):
        connection = server.http()
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (BrokenPipeError, ConnectionResetError) as error:
            # The refusal of a body that is too long may overtake its end.
            status, text = (413, b'{"error":""}') if wanted == 413 else (repr(error), b"{}")
        if status != wanted or "error" not in json.loads(text):
            problems.append(f"{name}: {status} {text[:200]}, not {wanted}")
        connection.close()
    return problems


def check_grpc(server, grpc, manifest):
    problems = []
    with grpc.channel(server.grpc, **{"grpc.max_send_message_length": -1}) as channel:
        infer = grpc.method(channel, "ModelInfer")
        for name, request, wanted in grpc_cases(grpc, manifest):
            code, message = grpc.code(infer, request)
            if code not in (wanted if isinstance(wanted, tuple) else (wanted,)):
                problems.append(f"{name}: {code} '{message[:200]}', not {wanted}")
            if len(message) > 1000 or any(ord(c) < 32 for c in message):
                problems.append(f"{name}: a message of {len(message)} characters or with control characters")
        # Bytes that are no message at all, and a call that does not exist.
        garbage = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        code, _ = grpc.code(garbage, b"\xff" * 100)
        if code not in ("INVALID_ARGUMENT", "INTERNAL"):
            problems.append(f"no message: {code}")
        code, _ = grpc.code(channel.unary_unary("/inference.GRPCInferenceService/Nothing"), b"")
        if code != "UNIMPLEMENTED":
            problems.append(f"no such method: {code}")
    return problems


def serves(server, grpc, manifest):
    with grpc.channel(server.grpc) as channel:
        grpc.method(channel, "ModelInfer")(grpc.request(manifest, manifest.rows(1, 1)), timeout=20)
    status, _, body = post(server.http(), manifest, json_body(manifest, manifest.rows(1, 1)))
    assert status == 200, body


def test_malformed_requests(bundles):
    rounds = 4
    with Server(bundles.binary, bundles.first, "--device-rate", "0") as server, tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        memory = []
        for _ in range(rounds):
            problems = check_rest(server, manifest) + check_grpc(server, grpc, manifest)
            assert not problems, "\n".join(problems)
            assert server.alive()
            serves(server, grpc, manifest)
            memory.append(server.rss())
        # The first rounds fill the allocator's pools.
        assert memory[-1] <= memory[1] * 1.05 + (8 << 20), memory


def send_raw(server, data, timeout=20):
    """What comes back for bytes that no HTTP client would send."""
    host, _, port = server.rest.rpartition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                answer += piece
        except OSError as error:
            # The server may hang up while it is still being written to.
            if error.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
                raise
    return answer


def test_bytes_that_are_no_http(bundles):
    with Server(bundles.binary, bundles.first) as server:
        manifest = Manifest(bundles.first)
        before = server.rss()
        flood = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 60) for i in range(100000))
        cases = {
            "noise": bytes(range(256)) * 100,
            "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "header flood": b"GET /v2 HTTP/1.1\r\nHost: x\r\n" + flood + b"\r\n",
            "one header of 8 MB": b"GET /v2 HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (8 << 20) + b"\r\n\r\n",
            "a target of 1 MB": b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            "negative length": b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "two lengths": b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "bad chunk": b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "huge chunk": b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                          b"ffffffffffffffffff\r\n",
        }
        for name, data in cases.items():
            answer = send_raw(server, data)
            assert not answer.startswith(b"HTTP/1.1 2"), f"{name}: {answer[:100]}"
            assert server.alive(), name
        chunks = b"1\r\n \r\n" * 10**6
        head = b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = send_raw(server, head + chunks + b"0\r\n\r\n", 60)
        assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413", b""), answer[:100]
        status, _, body = post(server.http(), manifest, json_body(manifest, manifest.rows(1, 1)))
        assert status == 200, body
        assert server.rss() <= before * 1.05 + (16 << 20), (before, server.rss())


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
