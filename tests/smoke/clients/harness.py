"""What the client tests share: bundles of a tiny network, a server process, requests in the protocol's own words.

Only the standard library and Debian's python3-grpcio: these are the clients that others write.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

# gRPC's own messages about connections that the tests break on purpose.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LENGTH = "Inference-Header-Content-Length"

CONFIG = """
defense = "none"
[data]
name = "synthetic"
train = 64
auxiliary = 16
validation = 16
[model]
width = 0.25
[train]
epochs = 1
batch = 16
[runtime]
threads = 1
precision = "fp32"
"""


class Skip(Exception):
    """What the test needs is not installed."""


def run(*command, **options):
    """Runs a command to its end; a failure carries what it said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Bundles:
    """Two versions of one model, exported from two networks that differ in their seed alone, or `given`."""

    def __init__(self, binary, work, given=()):
        self.binary, self.work = binary, work
        if given:
            self.first, self.second = (path.resolve() for path in given)
            return
        (work / "run.toml").write_text(CONFIG)
        self.first = self.make(0)
        self.second = self.make(1)

    def make(self, seed):
        out = self.work / f"bundle{seed}"
        run_directory = self.work / f"run{seed}"
        run(self.binary, "-q", "--seed", seed, "train", self.work / "run.toml", "--out", run_directory)
        run(self.binary, "-q", "export", run_directory, "--out", out, "--name", "net")
        return out


class Manifest:
    def __init__(self, bundle):
        document = json.loads((bundle / "server" / "manifest.json").read_text())
        self.model, self.version = document["model"], document["version"]
        self.input, self.output = document["inputs"][0], document["outputs"][0]
        self.row = 1
        for size in self.input["shape"][1:]:
            self.row *= size

    def rows(self, count, value):
        """FP32 rows with pseudo-random values; `value` decides which. (No numpy, so that nothing else is needed.)"""
        state, values = (value * 2654435761 + 12345) % 2**32, []
        for _ in range(count * self.row):
            state = (1664525 * state + 1013904223) % 2**32
            values.append(state / 2**31 - 1)
        return struct.pack(f"<{len(values)}f", *values)

    def shape(self, count):
        return [count] + self.input["shape"][1:]


class Server:
    """`infoscissors serve` as a process of its own, killed at the end of the with block."""

    def __init__(self, binary, bundle, *options, work=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=work))
        self.log = self.directory / "log"
        command = [str(binary), "serve", "--bundle", str(bundle / "server"), "--grpc", "127.0.0.1:0", "--rest",
                   "127.0.0.1:0", "--log", str(self.log), *map(str, options)]
        self.stderr = (self.directory / "stderr").open("w+")
        self.process = subprocess.Popen(command, stderr=self.stderr, stdout=subprocess.DEVNULL, cwd=self.directory)
        self.grpc, self.rest = self.wait_until_ready()

    def wait_until_ready(self):
        for _ in range(1200):
            text = (self.directory / "stderr").read_text()
            if found := re.search(r"ready grpc=(\S+) rest=(\S+)", text):
                return found.groups()
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"the server did not start: {(self.directory / 'stderr').read_text()}")

    def rss(self):
        """Resident memory in bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def alive(self):
        return self.process.poll() is None

    def stop(self, patience=30):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)

    def said(self):
        """Everything it wrote."""
        self.stderr.flush()
        texts = [(self.directory / "stderr").read_text()]
        if self.log.exists():
            texts.append(self.log.read_text())
        return "\n".join(texts)

    def http(self, timeout=20):
        host, _, port = self.rest.rpartition(":")
        return http.client.HTTPConnection(host, int(port), timeout=timeout)

    def get(self, path):
        connection = self.http()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def metrics(self):
        """Samples by their full name with labels."""
        text = self.get("/metrics")[1].decode()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
                for line in text.splitlines() if line and not line.startswith("#")}

    def counted(self, name):
        """The sum of a metric over its labels."""
        return sum(value for key, value in self.metrics().items() if key.split("{")[0] == name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.alive():
            self.process.kill()
        self.process.wait()
        self.stderr.close()


def json_body(manifest, rows, count=1, **more):
    values = list(struct.unpack(f"<{len(rows) // 4}f", rows))
    tensor = {"name": manifest.input["name"], "shape": manifest.shape(count), "datatype": "FP32", "data": values}
    return json.dumps({"inputs": [tensor], **more}).encode()


def binary_body(manifest, rows, count=1, **more):
    """A body of the binary extension that asks for a binary answer, and the length of its JSON."""
    tensor = {"name": manifest.input["name"], "shape": manifest.shape(count), "datatype": "FP32",
              "parameters": {"binary_data_size": len(rows)}}
    parameters = {"binary_data_output": True, **more.pop("parameters", {})}
    head = json.dumps({"inputs": [tensor], "parameters": parameters, **more}).encode()
    return head + rows, len(head)


def post(connection, manifest, body, length=None, path=None):
    """Status, headers and body of an inference."""
    headers = {"Content-Type": "application/json"} if length is None else {LENGTH: str(length)}
    connection.request("POST", path or f"/v2/models/{manifest.model}/infer", body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def binary_output(headers, body):
    """Document and bytes of a binary answer."""
    length = int(headers[LENGTH])
    return json.loads(body[:length]), body[length:]


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


def close(a, b, tolerance=1e-4):
    """Whether two outputs agree: rows computed in another company may differ in the last bits."""
    return 0 < len(a) == len(b) and all(abs(x - y) <= tolerance * max(1, abs(x)) for x, y in zip(a, b))


class Grpc:
    """Stubs generated from the project's own proto file when the tests run."""

    def __init__(self, work):
        try:
            import grpc
        except ImportError as error:
            raise Skip("python3-grpcio is not installed") from error
        self.grpc = grpc
        if not (work / "open_inference_grpc_pb2.py").exists():
            run("protoc", f"-I{ROOT / 'proto'}", f"--python_out={work}", "open_inference_grpc.proto")
        if str(work) not in sys.path:
            sys.path.insert(0, str(work))
        import open_inference_grpc_pb2
        self.messages = open_inference_grpc_pb2

    def channel(self, address, credentials=None, **options):
        arguments = list(options.items())
        if credentials is None:
            return self.grpc.insecure_channel(address, arguments)
        return self.grpc.secure_channel(address, credentials, arguments)

    def method(self, channel, name):
        """A callable for one method of the service."""
        method = self.messages.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods_by_name[name]
        kind = {(False, False): channel.unary_unary, (True, True): channel.stream_stream}
        streams = (getattr(method, "client_streaming", name.startswith("ModelStream")),
                   getattr(method, "server_streaming", name.startswith("ModelStream")))
        return kind[streams](f"/inference.GRPCInferenceService/{name}",
                             request_serializer=lambda message: message.SerializeToString(),
                             response_deserializer=getattr(self.messages, method.output_type.name).FromString)

    def request(self, manifest, rows, count=1, typed=False, **fields):
        request = self.messages.ModelInferRequest(model_name=manifest.model, **fields)
        tensor = request.inputs.add(name=manifest.input["name"], datatype="FP32", shape=manifest.shape(count))
        if typed:
            tensor.contents.fp32_contents.extend(floats(rows))
        else:
            request.raw_input_contents.append(rows)
        return request

    def output(self, response):
        tensor = response.outputs[0]
        return floats(response.raw_output_contents[0]) if response.raw_output_contents else tuple(tensor.contents.fp32_contents)

    def code(self, call, request, timeout=20):
        """The status of a call as its name, and its message."""
        try:
            call(request, timeout=timeout)
            return "OK", ""
        except self.grpc.RpcError as error:
            return error.code().name, error.details()


class Load(threading.Thread):
    """Calls `once` until it is told to stop; what it raises ends it and is kept."""

    def __init__(self, once):
        super().__init__(daemon=True)
        self.once, self.over, self.count, self.problem = once, threading.Event(), 0, None
        self.start()

    def run(self):
        try:
            while not self.over.is_set():
                self.once()
                self.count += 1
        except Exception as error:  # pylint: disable=broad-except
            self.problem = error

    def finish(self):
        self.over.set()
        self.join(60)
        if self.problem is not None:
            raise self.problem
        return self.count


def main(tests, binary, names, given=()):
    """Runs the tests whose names contain one of `names` (all without); prints one line for each that fails."""
    passed = failed = skipped = 0
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="infoscissors-clients-")))
        bundles = Bundles(binary, work, given)
        for test in tests:
            if names and not any(name in test.__name__ for name in names):
                continue
            start = time.monotonic()
            try:
                test(bundles)
                passed += 1
                print(f"{test.__name__}: passed in {time.monotonic() - start:.1f} s", flush=True)
            except Skip as reason:
                skipped += 1
                print(f"{test.__name__}: skipped: {reason}", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"{test.__name__}: FAILED\n{traceback.format_exc()}", flush=True)
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
