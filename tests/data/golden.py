#!/usr/bin/python3
"""Writes tests/data/data: small archives, good and hostile, their MD5 by Python's hashlib, and NumPy's own archives.

Run from anywhere: tests/data/golden.py (Debian's python3-numpy).
"""
import gzip
import hashlib
import io
import json
import pathlib
import random
import struct
import tarfile
import zlib

import numpy as np

OUT = pathlib.Path(__file__).parent / "data"
OUT.mkdir(exist_ok=True)
PAYLOAD = random.Random(3).randbytes(1500)


def member(name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, io.BytesIO(content)


def archive(name, *members):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, content)
    (OUT / name).write_bytes(gzip.compress(raw.getvalue(), mtime=0))


directory = member("set", type=tarfile.DIRTYPE, mode=0o755)
archive("good.tar.gz", directory, member("set/a.bin", PAYLOAD), member("set/inner/b.txt", b"hello\n"))
archive("parent.tar.gz", directory, member("set/../../escaped.txt", b"out"))
archive("absolute.tar.gz", directory, member("/tmp/infoscissors-escaped.txt", b"out"))
archive("symlink.tar.gz", directory, member("set/link", type=tarfile.SYMTYPE, linkname="/tmp"), member("set/link/x", b"out"))
archive("hardlink.tar.gz", directory, member("set/link", type=tarfile.LNKTYPE, linkname="/etc/passwd"))
archive("twice.tar.gz", directory, member("set/a.bin", b"first"), member("set/a.bin", b"second"))
archive("other.tar.gz", member("elsewhere/a.bin", b"content"))
sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in sorted(OUT.glob("*.tar.gz"))}
(OUT / "md5.json").write_text(json.dumps(sums, indent=2) + "\n")
(OUT / "a.bin").write_bytes(PAYLOAD)

# NumPy's archives: stored, deflated, and one with every number in its ZIP64 field, written after the format's
# description because NumPy does so beyond 4 GiB only.
ARRAYS = {"x": np.arange(600, dtype=np.float32).reshape(300, 2), "y": np.arange(300) % 3}
np.savez(OUT / "stored.npz", **ARRAYS)
np.savez_compressed(OUT / "deflated.npz", **ARRAYS)
np.savez_compressed(OUT / "single.npz", only=ARRAYS["x"].astype(np.float64).T)


def zip64(name, content):
    crc, size, wide = zlib.crc32(content), len(content), 2**32 - 1
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 33, crc, wide, wide, len(name), 20)
    body = local + name + struct.pack("<HHQQ", 1, 16, size, size) + content
    extra = struct.pack("<HHHH", 0x5455, 2, 0, 1)[:6] + struct.pack("<HHQQQ", 1, 24, size, size, 0)
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, 0, 0, 33, crc, wide, wide, len(name),
                          len(extra), 0, 0, 0, 0, wide) + name + extra
    end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, len(central), len(body))
    locator = struct.pack("<IIQI", 0x07064B50, 0, len(body) + len(central), 1)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 65535, 65535, wide, wide, 7) + b"comment"
    return body + central + end64 + locator + end


raw = io.BytesIO()
np.save(raw, ARRAYS["x"])
(OUT / "zip64.npz").write_bytes(zip64(b"x.npy", raw.getvalue()))
