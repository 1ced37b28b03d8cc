"""A server under attack: floods of connections, descriptors that run out, slow clients, stream resets.

Each attack is a function of its size, so that the tests run a small one and scripts/soak a large one. While it lasts
another client measures what it is served; afterwards a fresh client must be served within RECOVERY seconds.
"""
import contextlib
import json
import os
import resource
import select
import socket
import statistics
import struct
import subprocess
import sys
import time

from harness import Manifest, Server, Skip, binary_body, post

RECOVERY = 5


def raise_descriptor_limit():
    """As many descriptors as this process may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connect(address, timeout=5):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout)


class Victim:
    """A well-behaved device on a connection of its own; keeps the time of each of its requests."""

    def __init__(self, server, manifest):
        self.connection = server.http()
        self.body, self.length = binary_body(manifest, manifest.rows(1, 1))
        self.manifest = manifest

    def ask(self):
        start = time.perf_counter()
        status, _, data = post(self.connection, self.manifest, self.body, self.length)
        assert status == 200, data
        return time.perf_counter() - start

    def measure(self, seconds):
        """p50 and p99 in milliseconds."""
        times, end = [], time.monotonic() + seconds
        while time.monotonic() < end or len(times) < 20:
            times.append(self.ask())
            time.sleep(0.002)
        times.sort()
        return statistics.median(times) * 1e3, times[int(len(times) * 0.99)] * 1e3


def serves_again(server, manifest):
    """Seconds until a client that comes now is served."""
    start = time.monotonic()
    while time.monotonic() - start < 30:
        try:
            Victim(server, manifest).ask()
            return time.monotonic() - start
        except (OSError, AssertionError):
            time.sleep(0.05)
    raise AssertionError("the server did not recover")


def grpc_serves_again(server):
    """The same for gRPC: until an HTTP/2 connection gets the server's settings."""
    start = time.monotonic()
    while time.monotonic() - start < 30:
        with contextlib.suppress(OSError):
            with connect(server.grpc) as sock:
                sock.sendall(PREFACE)
                if sock.recv(9)[3:4] == b"\x04":
                    return time.monotonic() - start
        time.sleep(0.05)
    raise AssertionError("gRPC did not recover")


def report(name, calm, attacked, recovery, **more):
    """One line of figures."""
    figures = {"p50 ms": f"{calm[0]:.2f} -> {attacked[0]:.2f}", "p99 ms": f"{calm[1]:.2f} -> {attacked[1]:.2f}",
               "recovery s": f"{recovery:.2f}", **more}
    return f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items())


def under_attack(server, manifest, seconds, attack):
    """Calm figures, figures during `attack` (a context manager), seconds until a fresh client is served after it."""
    victim = Victim(server, manifest)
    victim.measure(0.5)
    calm = victim.measure(seconds)
    with attack:
        time.sleep(0.2)
        attacked = victim.measure(seconds)
    recovery = max(serves_again(server, manifest), grpc_serves_again(server))
    assert server.alive() and recovery <= RECOVERY, recovery
    return calm, attacked, recovery


@contextlib.contextmanager
def held(addresses, count, first=b""):
    """`count` connections to each address that send `first` and then nothing. One that is refused is not held."""
    sockets = []
    try:
        for _ in range(count):
            for address in addresses:
                with contextlib.suppress(OSError):
                    sock = connect(address)
                    sockets.append(sock)
                    if first:
                        sock.sendall(first)
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


@contextlib.contextmanager
def attacker(function, *arguments):
    """Runs `function(*arguments)` of this file in a process of its own, or it would take the victim's processor time
    and not the server's. It attacks until its standard input ends."""
    command = [sys.executable, __file__, function.__name__, json.dumps(arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, preexec_fn=lambda: os.nice(10)) as process:
        try:
            yield
        finally:
            process.stdin.close()
            status = process.wait(60)
    assert status == 0, f"the attacker itself failed: {status}"


def over(wait):
    """Whether the standard input has ended, after at most `wait` seconds."""
    return bool(select.select([0], [], [], wait)[0])


def trickle(address, count, pieces):
    """`count` clients that send one of `pieces` now and then, and come back when they are thrown out."""
    pieces = [piece.encode("latin-1") for piece in pieces]
    clients = [[None, 0] for _ in range(count)]
    while not over(0.3):
        for client in clients:
            try:
                if client[0] is None:
                    client[:] = [connect(address, 1), 0]
                client[0].sendall(pieces[min(client[1], len(pieces) - 1)])
                client[1] += 1
            except OSError:
                if client[0] is not None:
                    client[0].close()
                client[0] = None


def trickling(address, count, pieces):
    return attacker(trickle, address, count, [piece.decode("latin-1") for piece in pieces])


# HTTP/2, as far as an attacker needs it.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def headers_block():
    """HPACK without compression: literal fields that are never indexed."""
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/inference.GRPCInferenceService/ModelInfer"),
              (":authority", "x"), ("content-type", "application/grpc"), ("te", "trailers")]
    return b"".join(b"\x10" + bytes([len(k)]) + k.encode() + bytes([len(v)]) + v.encode() for k, v in fields)


def reset_streams(address, connections):
    """Connections that open streams and reset them at once, as fast as they can; each is replaced when it is closed."""
    block, sockets = headers_block(), [None] * connections
    streams = [1] * connections
    while not over(0.002):
        for i in range(connections):
            try:
                if sockets[i] is None:
                    sockets[i], streams[i] = connect(address, 1), 1
                    sockets[i].sendall(PREFACE)
                burst = b""
                for _ in range(50):
                    burst += frame(1, 4, streams[i], block) + frame(3, 0, streams[i], struct.pack(">I", 8))
                    streams[i] += 2
                sockets[i].sendall(burst)
                with contextlib.suppress(BlockingIOError):
                    while sockets[i].recv(65536, socket.MSG_DONTWAIT):
                        pass
            except OSError:
                if sockets[i] is not None:
                    sockets[i].close()
                sockets[i] = None


@contextlib.contextmanager
def not_reading(server, manifest, count):
    """Clients that ask for answers and never read one. A few each: many would be load and not slowness."""
    body, length = binary_body(manifest, manifest.rows(1, 1))
    request = (f"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
               f"Inference-Header-Content-Length: {length}\r\n\r\n").encode() + body
    sockets = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                sock = connect(server.rest)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sockets.append(sock)
                sock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    for _ in range(3):
                        sock.send(request)
        yield
    finally:
        for sock in sockets:
            sock.close()


WIDE = ["--max-connections", "100000", "--max-connections-per-address", "100000", "--device-rate", "0"]


def connections_attack(bundles, count, seconds):
    """Many idle connections, half of them to each protocol."""
    raise_descriptor_limit()
    with Server(bundles.binary, bundles.first, "--handshake-seconds", "120", *WIDE) as server:
        manifest = Manifest(bundles.first)
        Victim(server, manifest).measure(0.5)
        before = server.rss()
        with held([server.rest, server.grpc], count // 2) as sockets:
            # They are accepted one after the other.
            opened = most = 0
            for _ in range(80):
                opened, most = max(opened, server.descriptors()), max(most, server.rss())
                if opened >= count:
                    break
                time.sleep(0.1)
        figures = under_attack(server, manifest, seconds, held([server.rest, server.grpc], count // 2))
        assert len(sockets) >= count * 0.99 and opened >= count * 0.99, (len(sockets), opened)
        return figures, {"connections": len(sockets), "KB each": f"{(most - before) / len(sockets) / 1024:.1f}"}


def limits_attack(bundles, count, seconds):
    """The same with the default limits: what is beyond them is closed at once."""
    with Server(bundles.binary, bundles.first, "--device-rate", "0") as server:
        manifest = Manifest(bundles.first)
        figures = under_attack(server, manifest, seconds, held([server.rest, server.grpc], count // 2))
        refused = server.counted("infoscissors_rest_connections_refused_total")
        assert refused >= count // 2 - 256, refused
        return figures, {"refused": int(refused)}


def descriptors_attack(bundles, count, seconds):
    """The process may open fewer files than there are connections."""
    if "UBSAN_OPTIONS" in os.environ:
        raise Skip("UBSan reads objects through a pipe, and takes them for invalid where no descriptor is left for one")
    limit = max(128, count // 2)
    raise_descriptor_limit()
    with Server(bundles.binary, bundles.first, *WIDE) as server:
        manifest = Manifest(bundles.first)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        figures = under_attack(server, manifest, seconds, held([server.rest, server.grpc], count // 2))
        return figures, {"descriptors": limit, "connections": count}


def slow_attack(bundles, count, seconds):
    """Heads and bodies that come byte by byte, HTTP/2 that never begins, answers that nobody reads."""
    head = [b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\n", b"X-A: a\r\n"]
    body = [b"POST /v2/models/net/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n", b"{"]
    with Server(bundles.binary, bundles.first, "--handshake-seconds", "2", *WIDE) as server:
        manifest = Manifest(bundles.first)

        @contextlib.contextmanager
        def attack():
            with trickling(server.rest, count // 4, head), trickling(server.rest, count // 4, body), \
                    trickling(server.grpc, count // 4, [PREFACE[:5], b"\0"]), not_reading(server, manifest, count // 4):
                yield

        figures = under_attack(server, manifest, seconds, attack())
        return figures, {"clients": count}


def resets_attack(bundles, count, seconds):
    """HTTP/2 streams that are opened and reset at once."""
    with Server(bundles.binary, bundles.first, *WIDE) as server:
        manifest = Manifest(bundles.first)
        Victim(server, manifest).measure(0.5)
        before = server.rss()
        figures = under_attack(server, manifest, seconds, attacker(reset_streams, server.grpc, count))
        assert server.rss() <= before * 1.05 + (32 << 20), (before, server.rss())
        return figures, {"connections": count, "MB more": f"{(server.rss() - before) / 2**20:.1f}"}


def headers_attack(bundles, count, seconds):
    """Heads that never end, one after the other."""
    flood = b"GET /v2 HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 100) for i in range(700))
    with Server(bundles.binary, bundles.first, *WIDE) as server:
        manifest = Manifest(bundles.first)
        figures = under_attack(server, manifest, seconds, trickling(server.rest, count, [flood]))
        return figures, {"clients": count}


# name: (function, size in the tests, size in a soak)
ATTACKS = {
    "idle connections": (connections_attack, 600, 10000),
    "connections beyond the limits": (limits_attack, 800, 4000),
    "no descriptors left": (descriptors_attack, 600, 4000),
    "slow clients": (slow_attack, 80, 800),
    "stream resets": (resets_attack, 2, 4),
    "endless heads": (headers_attack, 5, 20),
}


def make_test(name, attack, size):
    def test(bundles):
        figures, more = attack(bundles, size, 1)
        print("  " + report(name, *figures, **more))
    test.__name__ = "test_" + name.replace(" ", "_")
    return test


TESTS = [make_test(name, attack, size) for name, (attack, size, _) in ATTACKS.items()]

if __name__ == "__main__":
    globals()[sys.argv[1]](*json.loads(sys.argv[2]))
