#!/usr/bin/python3
"""A TCP proxy that does to a connection what a bad network or a bad neighbour does.

    fault_proxy.py --to HOST:PORT [--listen HOST:PORT] [FAULT...]

It prints `ready HOST:PORT` once it listens (port 0, the default, takes any). A fault is `name=value`:

    delay=SECONDS         every piece of data arrives that much later
    throttle=BYTES        at most so many bytes a second, for each connection and direction
    truncate=BYTES        after so many bytes nothing more is forwarded and the stream ends as if it were complete
    reset=BYTES           after so many bytes both sides are reset (RST)
    hang=BYTES            after so many bytes nothing more is forwarded and nothing is closed
    flip=OFFSET[:BIT]     one bit of the byte at that offset is inverted (bit 0 where none is given)
    flip_rate=P           every byte has one bit inverted with probability P
    direction=up|down|both  which way is disturbed: to the server, from it (default both)
    first=N               only the first N connections are disturbed (default all)
    seed=N                for flip_rate

Offsets count a connection's bytes in one direction. Lines on the standard input replace the faults of the connections
that are made from then on (`none` for none) and are answered by `ok`; `stats` is answered by one JSON line. The end of
the input stops the proxy where --stdin is given.
"""
import argparse
import asyncio
import json
import random
import socket
import struct
import sys


class Faults:
    """The faults of one connection, parsed from a list of `name=value`."""

    NUMBERS = {"delay": float, "throttle": float, "truncate": int, "reset": int, "hang": int, "flip_rate": float,
               "first": int, "seed": int}

    def __init__(self, words=()):
        self.delay = 0.0
        self.throttle = self.truncate = self.reset = self.hang = self.flip = self.first = None
        self.flip_rate, self.direction, self.seed = 0.0, "both", 0
        for word in words:
            if word == "none":
                continue
            name, _, value = word.partition("=")
            if name in self.NUMBERS:
                setattr(self, name, self.NUMBERS[name](value))
            elif name == "flip":
                offset, _, bit = value.partition(":")
                self.flip = (int(offset), int(bit or 0))
            elif name == "direction" and value in ("up", "down", "both"):
                self.direction = value
            else:
                raise ValueError(f"there is no fault '{word}'")

    def disturbs(self, direction):
        return self.direction in ("both", direction)


class Reset(Exception):
    """Both sides of the connection are to be reset."""


class Pipe:
    """One direction of one connection."""

    def __init__(self, faults, generator, stats):
        self.faults, self.generator, self.stats = faults, generator, stats
        self.passed = 0

    def corrupt(self, data):
        data = bytearray(data)
        if self.faults.flip is not None:
            at, bit = self.faults.flip
            if self.passed <= at < self.passed + len(data):
                data[at - self.passed] ^= 1 << bit
                self.stats["flipped"] += 1
        if self.faults.flip_rate > 0:
            for at in range(len(data)):
                if self.generator.random() < self.faults.flip_rate:
                    data[at] ^= 1 << self.generator.randrange(8)
                    self.stats["flipped"] += 1
        return bytes(data)

    def limit(self):
        """How many bytes may pass in all before something happens, and what happens then."""
        ends = [(count, name) for name in ("truncate", "reset", "hang")
                if (count := getattr(self.faults, name)) is not None]
        return min(ends, default=(None, None))

    async def run(self, reader, writer):
        limit, end = self.limit()
        while True:
            data = await reader.read(65536 if not self.faults.throttle else max(1, int(self.faults.throttle / 10)))
            if not data:
                break
            if self.faults.delay:
                await asyncio.sleep(self.faults.delay)
            if self.faults.throttle:
                await asyncio.sleep(len(data) / self.faults.throttle)
            whole = data if limit is None else data[:max(0, limit - self.passed)]
            writer.write(self.corrupt(whole))
            self.passed += len(whole)
            self.stats["bytes"] += len(whole)
            await writer.drain()
            if limit is not None and self.passed >= limit:
                self.stats[end] += 1
                if end == "reset":
                    raise Reset
                if end == "hang":
                    await asyncio.Event().wait()
                break
        writer.write_eof() if writer.can_write_eof() else None


def abort(writer):
    """Closes with a reset instead of an orderly end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
    writer.transport.abort()


class Proxy:
    """`await Proxy(host, port).start()`; `faults` may be replaced at any time and holds for later connections."""

    def __init__(self, host, port, faults=None):
        self.target = (host, port)
        self.faults = faults or Faults()
        self.stats = {"connections": 0, "refused": 0, "bytes": 0, "flipped": 0, "truncate": 0, "reset": 0, "hang": 0}
        self.disturbed = 0
        self.server = None
        self.writers = set()

    async def start(self, host="127.0.0.1", port=0):
        self.server = await asyncio.start_server(self.handle, host, port, backlog=1024)
        return self.server.sockets[0].getsockname()[:2]

    def replace(self, faults):
        self.faults, self.disturbed = faults, 0

    def reset_all(self):
        """Resets every open connection, as a router that loses its state does."""
        for writer in list(self.writers):
            abort(writer)

    async def handle(self, reader, writer):
        faults = self.faults
        if faults.first is not None and self.disturbed >= faults.first:
            faults = Faults()
        self.disturbed += 1
        self.stats["connections"] += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            self.stats["refused"] += 1
            abort(writer)
            return
        ends = {writer, far_writer}
        self.writers |= ends
        generator = random.Random(faults.seed * 1000003 + self.stats["connections"])
        up, down = (Pipe(faults if faults.disturbs(way) else Faults(), generator, self.stats) for way in ("up", "down"))
        jobs = [asyncio.ensure_future(up.run(reader, far_writer)), asyncio.ensure_future(down.run(far_reader, writer))]
        try:
            await asyncio.gather(*jobs)
            for end in ends:
                end.close()
        except (Reset, OSError):
            for end in ends:
                abort(end)
        finally:
            for job in jobs:
                job.cancel()
            self.writers -= ends


async def obey(proxy):
    """Reads commands until the input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode():
        words = line.split()
        if words == ["stats"]:
            print(json.dumps(proxy.stats), flush=True)
        elif words == ["reset_all"]:
            proxy.reset_all()
            print("ok", flush=True)
        else:
            try:
                proxy.replace(Faults(words))
                print("ok", flush=True)
            except ValueError as error:
                print(f"error: {error}", flush=True)


async def serve(arguments):
    host, _, port = arguments.to.rpartition(":")
    proxy = Proxy(host, int(port), Faults(arguments.faults))
    host, _, port = arguments.listen.rpartition(":")
    address = await proxy.start(host, int(port))
    print(f"ready {address[0]}:{address[1]}", flush=True)
    if arguments.stdin:
        await obey(proxy)
    else:
        await proxy.server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--stdin", action="store_true", help="take commands from the standard input, stop at its end")
    parser.add_argument("faults", nargs="*", metavar="FAULT")
    arguments = parser.parse_args()
    try:
        Faults(arguments.faults)
    except ValueError as error:
        parser.error(str(error))
    try:
        asyncio.run(serve(arguments))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
