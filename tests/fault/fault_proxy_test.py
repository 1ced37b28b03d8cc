#!/usr/bin/python3
"""The fault proxy does what it says: an echo server behind it sees and returns exactly the damage that was asked for.

Last line printed: 'N passed, N failed'.
"""
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
DATA = bytes(range(256)) * 16


class Echo:
    """Returns whatever it receives, then ends its side."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    @staticmethod
    def answer(peer):
        try:
            while data := peer.recv(65536):
                peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            peer.close()


class Proxy:
    def __init__(self, port, *faults):
        command = [sys.executable, str(HERE / "fault_proxy.py"), "--stdin", "--to", f"127.0.0.1:{port}", *faults]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


def exchange(port, data=DATA, timeout=10):
    """What comes back, and how the stream ended: 'end', 'reset' or 'silence'."""
    got = b""
    try:
        # A reset may arrive before connect() has returned.
        with socket.create_connection(("127.0.0.1", port), timeout) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                got += piece
            return got, "end"
    except ConnectionError:
        return got, "reset"
    except socket.timeout:
        return got, "silence"


def differing(a, b):
    return [i for i in range(min(len(a), len(b))) if a[i] != b[i]]


def test_passes_everything_without_faults(echo):
    with Proxy(echo.port) as proxy:
        assert exchange(proxy.port) == (DATA, "end")
        assert json.loads(proxy.tell("stats"))["bytes"] == 2 * len(DATA)


def test_flips_exactly_the_bit(echo):
    with Proxy(echo.port, "flip=1000:3", "direction=down") as proxy:
        got, end = exchange(proxy.port)
        assert end == "end" and len(got) == len(DATA)
        assert differing(got, DATA) == [1000] and got[1000] ^ DATA[1000] == 8


def test_flip_rate_is_seeded(echo):
    damage = []
    for _ in range(2):
        with Proxy(echo.port, "flip_rate=0.01", "seed=7", "direction=up") as proxy:
            damage.append(differing(exchange(proxy.port)[0], DATA))
    assert damage[0] == damage[1] and 10 < len(damage[0]) < 100, damage


def test_truncates_orderly(echo):
    with Proxy(echo.port, "truncate=100", "direction=down") as proxy:
        assert exchange(proxy.port) == (DATA[:100], "end")


def test_resets(echo):
    with Proxy(echo.port, "reset=100", "direction=down") as proxy:
        got, end = exchange(proxy.port)
        assert end == "reset" and len(got) <= 100


def test_hangs_without_closing(echo):
    with Proxy(echo.port, "hang=100", "direction=down") as proxy:
        assert exchange(proxy.port, timeout=0.3) == (DATA[:100], "silence")


def test_delays(echo):
    with Proxy(echo.port, "delay=0.2", "direction=down") as proxy:
        start = time.monotonic()
        assert exchange(proxy.port) == (DATA, "end")
        assert time.monotonic() - start >= 0.2


def test_throttles(echo):
    with Proxy(echo.port, "throttle=10000", "direction=up") as proxy:
        start = time.monotonic()
        assert exchange(proxy.port) == (DATA, "end")
        assert time.monotonic() - start >= 0.3


def test_only_the_first_connections(echo):
    with Proxy(echo.port, "truncate=0", "first=1") as proxy:
        assert exchange(proxy.port)[0] == b""
        assert exchange(proxy.port) == (DATA, "end")


def test_faults_can_be_replaced(echo):
    with Proxy(echo.port) as proxy:
        assert exchange(proxy.port) == (DATA, "end")
        assert proxy.tell("truncate=5 direction=down") == "ok"
        assert exchange(proxy.port)[0] == DATA[:5]
        assert proxy.tell("none") == "ok"
        assert exchange(proxy.port) == (DATA, "end")
        assert proxy.tell("explode=1").startswith("error: there is no fault 'explode=1'")


def test_open_connections_can_be_reset(echo):
    with Proxy(echo.port) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
            assert proxy.tell("reset_all") == "ok"
            try:
                assert sock.recv(1) == b"", "data after a reset"
            except ConnectionError:
                pass


def test_a_dead_server_is_a_reset(echo):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with Proxy(port) as proxy:
        assert exchange(proxy.port)[1] == "reset"


def main():
    echo, passed, failed = Echo(), 0, 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test(echo)
            passed += 1
        except AssertionError as error:
            failed += 1
            print(f"{name}: {error!r} line {error.__traceback__.tb_next.tb_lineno}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
