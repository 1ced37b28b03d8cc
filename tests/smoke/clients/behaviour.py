"""What holds between devices, under load, and when the server or the network goes away."""
import http.client
import json
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import (LENGTH, ROOT, Grpc, Load, Manifest, Server, Skip, binary_body, binary_output, close, floats, json_body,
                     post, run)

sys.path.insert(0, str(ROOT / "tests" / "fault"))


def answer_of(server, manifest, rows):
    body, length = binary_body(manifest, rows)
    status, headers, data = post(server.http(), manifest, body, length)
    assert status == 200, data
    return floats(binary_output(headers, data)[1])


def test_devices_are_isolated(bundles):
    """Marked tensors in common batches: each device gets its own rows, and nobody else ever sees a mark."""
    marks = {"a": 1234.5678, "b": -8765.4321}
    with Server(bundles.binary, bundles.first, "--batch-delay-us", "3000", "--device-rate", "0", "--log-level", "debug") as server, \
            tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        rows = {key: struct.pack(f"<{manifest.row}f", *[mark] * manifest.row) for key, mark in marks.items()}
        alone = {key: answer_of(server, manifest, rows[key]) for key in marks}
        assert not close(alone["a"], alone["b"], 1e-2)
        messages = []

        def device(key):
            channel = grpc.channel(server.grpc)
            infer = grpc.method(channel, "ModelInfer")

            def once():
                response = infer(grpc.request(manifest, rows[key], id=key), timeout=20)
                assert response.id == key and close(grpc.output(response), alone[key], 1e-3), f"{key} got other rows"
            return once

        def rest_device(key):
            connection = server.http()
            body, length = binary_body(manifest, rows[key], id=key)

            def once():
                status, headers, data = post(connection, manifest, body, length)
                assert status == 200, data
                document, output = binary_output(headers, data)
                assert document["id"] == key and close(floats(output), alone[key], 1e-3), f"{key} got other rows"
            return once

        def attacker():
            # One bad value beside marks: refused, and its batch mates do not notice.
            channel = grpc.channel(server.grpc)
            infer = grpc.method(channel, "ModelInfer")
            bad = grpc.request(manifest, rows["a"][:-4] + struct.pack("<f", float("nan")))
            text = json_body(manifest, rows["b"])[:-1] + b"oops"

            def once():
                code, message = grpc.code(infer, bad)
                assert code == "INVALID_ARGUMENT", code
                status, _, answer = post(server.http(), manifest, text)
                assert status == 400, answer
                messages.extend([message, answer.decode()])
            return once

        loads = [Load(device(key)) for key in "aabb"] + [Load(rest_device(key)) for key in "ab"] + [Load(attacker())]
        time.sleep(3)
        counts = [load.finish() for load in loads]
        assert min(counts) > 3, counts
        metrics = server.metrics()
        batches = sum(v for k, v in metrics.items() if k.startswith("infoscissors_batches_total"))
        assert batches < sum(v for k, v in metrics.items() if k.startswith("infoscissors_rows_total")), "nothing was batched"
        said = server.get("/metrics")[1].decode()
        server.stop()
        said += server.said() + "\n".join(messages)
        for mark in marks.values():
            for text in (f"{mark}", f"{abs(mark):.2f}", struct.pack("<f", mark).hex(), struct.pack(">f", mark).hex()):
                assert text not in said, f"the mark {text} was found in a log, metric or error"
        assert '"event":"request"' in said.replace(" ", ""), "there was no log to look into"


def test_overload_is_refused_fast_and_counted(bundles):
    """Far more than the server can do: what it takes it answers, the rest is refused at once, and every one counted."""
    if not shutil.which("wrk"):
        raise Skip("wrk is not installed")
    options = ["--queue", "4", "--max-batch", "1", "--device-rate", "0", "--threads", "1"]
    with Server(bundles.binary, bundles.first, *options) as server, tempfile.TemporaryDirectory() as work:
        manifest, work = Manifest(bundles.first), pathlib.Path(work)
        (work / "rows").write_bytes(manifest.rows(1, 8))
        (work / "post.lua").write_text(f"""
wrk.method = "POST"
wrk.headers["{LENGTH}"] = "0"
local file = io.open("{work / 'rows'}", "rb")
wrk.body = file:read("*a")
local threads = {{}}
function setup(thread) table.insert(threads, thread) end
function init() ok, busy, other, sent = 0, 0, 0, 0 end
local make = wrk.format
function request() sent = sent + 1; return make() end
function response(status)
  if status == 200 then ok = ok + 1 elseif status == 503 then busy = busy + 1 else other = other + 1 end
end
function done()
  for _, thread in ipairs(threads) do
    print("counted", thread:get("ok"), thread:get("busy"), thread:get("other"))
  end
end
""")
        seen = []
        watching = Load(lambda: (seen.append(server.counted("infoscissors_pending")), time.sleep(0.05)))
        output = run("wrk", "-t1", "-c64", "-d3s", "-s", work / "post.lua", f"http://{server.rest}/v2/models/net/infer")
        watching.finish()
        ok, busy, other = map(int, re.search(r"counted\s+(\d+)\s+(\d+)\s+(\d+)", output).groups())
        assert other == 0 and ok > 10 and busy > 5 * ok, output
        # Four wait and one runs; what is being refused or answered at the moment is pending, too. Without a bound it
        # would be what wrk has open, 64.
        assert max(seen) <= 5 + 16, f"more was pending than the queue holds: {max(seen)}"
        time.sleep(0.5)
        metrics = server.metrics()
        refused = sum(v for k, v in metrics.items() if k.startswith("infoscissors_failures_total") and "queue_full" in k)
        accepted = sum(v for k, v in metrics.items() if k.startswith("infoscissors_success_total"))
        # wrk ends in the middle of a request on each of its connections; the server may have answered those.
        assert 0 <= refused - busy <= 64 and 0 <= accepted - ok <= 64, (metrics, output)
        assert answer_of(server, manifest, manifest.rows(1, 8))


def test_sigterm_drains(bundles):
    """Under load: every request is answered, by a result or by UNAVAILABLE, and the process ends with status 0."""
    with Server(bundles.binary, bundles.first, "--device-rate", "0") as server, tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        rows = manifest.rows(1, 9)
        expected = answer_of(server, manifest, rows)
        codes, over, lock = {}, threading.Event(), threading.Lock()

        def note(code):
            with lock:
                codes[code] = codes.get(code, 0) + 1

        def by_grpc():
            with grpc.channel(server.grpc) as channel:
                infer = grpc.method(channel, "ModelInfer")
                while not over.is_set():
                    try:
                        response = infer(grpc.request(manifest, rows), timeout=20)
                        assert close(grpc.output(response), expected)
                        note("OK")
                    except grpc.grpc.RpcError as error:
                        note(error.code().name)

        def by_rest():
            connection = server.http()
            body, length = binary_body(manifest, rows)
            while not over.is_set():
                try:
                    status, headers, data = post(connection, manifest, body, length)
                    if status == 200:
                        assert close(floats(binary_output(headers, data)[1]), expected)
                    note(status)
                    if headers.get("Connection") == "close":
                        connection.close()
                except (ConnectionError, http.client.RemoteDisconnected):
                    # Nothing of an answer came: an idle connection that was closed, or nobody listens any more.
                    connection.close()
                    note("closed")

        threads = [threading.Thread(target=target, daemon=True) for target in (by_grpc, by_grpc, by_rest, by_rest)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        status = server.stop()
        over.set()
        for thread in threads:
            thread.join(30)
        assert status == 0, server.said()
        assert codes.pop("OK") > 3 and codes.pop(200) > 3
        assert set(codes) <= {"UNAVAILABLE", 503, "closed"}, codes


def test_hot_reload_under_load(bundles):
    """The bundle is replaced again and again: no request fails, no answer mixes versions, a bad bundle changes nothing."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        served = work / "served"
        shutil.copytree(bundles.first, served)
        manifests = {Manifest(bundle).version: Manifest(bundle) for bundle in (bundles.first, bundles.second)}
        assert len(manifests) == 2
        with Server(bundles.binary, served, "--reload-seconds", "0.2", "--device-rate", "0") as server:
            grpc, manifest = Grpc(work), Manifest(bundles.first)
            rows = manifest.rows(1, 10)
            expected, seen = {}, set()
            for bundle in (bundles.first, bundles.second):
                with Server(bundles.binary, bundle) as other:
                    expected[Manifest(bundle).version] = answer_of(other, manifest, rows)

            def client():
                channel = grpc.channel(server.grpc)
                infer = grpc.method(channel, "ModelInfer")

                def once():
                    response = infer(grpc.request(manifest, rows), timeout=20)
                    version = response.parameters["version_id"].string_param
                    assert version == response.model_version
                    assert close(grpc.output(response), expected[version], 1e-3), "an answer of another version"
                    seen.add(version)
                return once

            def rest_client():
                connection = server.http()
                body, length = binary_body(manifest, rows)

                def once():
                    status, headers, data = post(connection, manifest, body, length)
                    assert status == 200, data
                    document, output = binary_output(headers, data)
                    assert close(floats(output), expected[document["model_version"]], 1e-3), "an answer of another version"
                return once

            def place(source):
                fresh = work / "fresh"
                shutil.copytree(source / "server", fresh)
                (served / "server").rename(work / "old")
                fresh.rename(served / "server")
                shutil.rmtree(work / "old")

            def current():
                return json.loads(server.get("/v2/models/net")[1])["versions"][0]

            def wait_for(version):
                for _ in range(400):
                    if current() == version:
                        return
                    time.sleep(0.05)
                raise AssertionError(f"{version} was not loaded: {server.said()[-2000:]}")

            loads = [Load(client()), Load(client()), Load(rest_client())]
            for bundle in (bundles.second, bundles.first, bundles.second):
                place(bundle)
                wait_for(Manifest(bundle).version)
            # A flipped byte: refused, and what is served stays.
            encoder = served / "server" / "encoder.pt"
            data = bytearray(encoder.read_bytes())
            data[len(data) // 2] ^= 1
            encoder.write_bytes(data)
            time.sleep(1)
            assert current() == Manifest(bundles.second).version
            assert server.counted("infoscissors_failed_reloads_total") >= 1
            for load in loads:
                assert load.finish() > 3
            assert seen == set(manifests), seen


def test_kill_in_the_middle_of_a_request(bundles):
    """kill -9: every request that was under way ends with UNAVAILABLE within its deadline, none with an answer."""
    with Server(bundles.binary, bundles.first, "--batch-delay-us", "1000000", "--device-rate", "0") as server, \
            tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        with grpc.channel(server.grpc) as channel:
            infer = grpc.method(channel, "ModelInfer")
            futures = [infer.future(grpc.request(manifest, manifest.rows(1, i)), timeout=10) for i in range(8)]
            for _ in range(400):
                if server.counted("infoscissors_pending") == 8:
                    break
                time.sleep(0.005)
            start = time.monotonic()
            server.process.send_signal(signal.SIGKILL)
            codes = {future.code().name for future in futures if future.exception() is not None}
            assert codes == {"UNAVAILABLE"} and time.monotonic() - start < 10, codes


class Proxy:
    """The tests' fault proxy in front of an address."""

    def __init__(self, address, *faults):
        command = [sys.executable, str(ROOT / "tests" / "fault" / "fault_proxy.py"), "--stdin", "--to", address, *faults]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[1]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)


def test_resets_are_unavailable_within_the_deadline(bundles):
    with Server(bundles.binary, bundles.first) as server, tempfile.TemporaryDirectory() as work:
        manifest, grpc = Manifest(bundles.first), Grpc(pathlib.Path(work))
        rows = manifest.rows(1, 11)
        with Proxy(server.grpc) as proxy:
            for fault in ("reset=300 direction=up", "reset=100 direction=down", "truncate=300 direction=up",
                          "truncate=100 direction=down", "hang=300 direction=up", "hang=100 direction=down"):
                assert proxy.tell(fault) == "ok"
                start = time.monotonic()
                with grpc.channel(proxy.address) as channel:
                    code, message = grpc.code(grpc.method(channel, "ModelInfer"), grpc.request(manifest, rows), timeout=2)
                wanted = {"DEADLINE_EXCEEDED"} if fault.startswith("hang") else {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
                assert code in wanted and time.monotonic() - start < 10, (fault, code, message)
            assert proxy.tell("none") == "ok"
            with grpc.channel(proxy.address) as channel:
                assert grpc.code(grpc.method(channel, "ModelInfer"), grpc.request(manifest, rows))[0] == "OK"
        assert server.counted("infoscissors_pending") == 0, "a request whose client is gone was kept"


def test_flipped_bits_never_pass_through_tls(bundles):
    """With TLS a damaged byte is found, whichever it is: an error, never another answer. Plaintext cannot promise that."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        run(bundles.binary, "pki", "init", work / "pki")
        run(bundles.binary, "pki", "issue", work / "pki", "server", "--server")
        run(bundles.binary, "pki", "issue", work / "pki", "camera", "--device")
        pem = {name: (work / "pki" / name).read_bytes() for name in ("ca.pem", "camera.pem", "camera.key")}
        options = ["--tls-cert", work / "pki/server.pem", "--tls-key", work / "pki/server.key", "--client-ca",
                   work / "pki/ca.pem"]
        with Server(bundles.binary, bundles.first, *options) as server, Proxy(server.grpc) as proxy:
            manifest, grpc = Manifest(bundles.first), Grpc(work)
            rows = manifest.rows(1, 12)
            credentials = grpc.grpc.ssl_channel_credentials(pem["ca.pem"], pem["camera.key"], pem["camera.pem"])
            codes = {}

            def ask():
                with grpc.channel(proxy.address, credentials) as channel:
                    infer = grpc.method(channel, "ModelInfer")
                    try:
                        return "OK", grpc.output(infer(grpc.request(manifest, rows), timeout=2))
                    except grpc.grpc.RpcError as error:
                        return error.code().name, None

            code, expected = ask()
            assert code == "OK"
            total = json.loads(proxy.tell("stats"))["bytes"]
            for direction in ("up", "down"):
                for step in range(12):
                    at = 20 + step * (total // 2) // 12
                    assert proxy.tell(f"flip={at}:{step % 8} direction={direction}") == "ok"
                    code, output = ask()
                    codes[code] = codes.get(code, 0) + 1
                    # OK: the byte was behind the end of this direction's stream.
                    assert code != "OK" or output == expected, f"byte {at} {direction}: another answer"
            assert codes.get("UNAVAILABLE", 0) + codes.get("DEADLINE_EXCEEDED", 0) >= 12, codes
            assert proxy.tell("none") == "ok" and ask() == ("OK", expected)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
