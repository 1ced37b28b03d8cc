#!/usr/bin/python3
"""Writes tests/data/data: small archives, good and hostile, and their MD5 by Python's hashlib.

Run from anywhere: tests/data/golden.py.
"""
import gzip
import hashlib
import io
import json
import pathlib
import random
import tarfile

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
