"""Arrays as NumPy writes them, and hashes as python3-xxhash computes them.

Run at the root:  /usr/bin/python3 tests/base/golden.py tests/base/data
"""

import json
import pathlib
import struct
import sys

import numpy as np
import xxhash

OUT = pathlib.Path(sys.argv[1])


def arrays():
    grid = np.arange(6, dtype="<f4").reshape(2, 3)
    np.save(OUT / "c_order.npy", grid)
    np.save(OUT / "fortran_order.npy", np.asfortranarray(grid))
    np.save(OUT / "scalar.npy", np.int64(-7))
    np.save(OUT / "empty.npy", np.zeros((0, 3), dtype=np.uint8))
    np.save(OUT / "bool.npy", np.array([True, False, True]))
    np.save(OUT / "big_endian.npy", grid.astype(">f4"))
    for major in (2, 3):
        with open(OUT / f"version{major}.npy", "wb") as out:
            np.lib.format.write_array(out, grid.astype("<f8"), version=(major, 0))


def hashes():
    def hash64(data, seed):
        return xxhash.xxh3_64_intdigest(data, seed)

    texts = ["", "InfoScissors", "0123456789" * 100]
    seeds = [(0, "", 0), (1, "shuffle", 0), (1, "shuffle", 1), (2**64 - 1, "attack:ka", 3)]
    document = {
        "content_hash": [[text, xxhash.xxh3_128_hexdigest(text.encode())] for text in texts],
        "hash64": [[text, seed, hash64(text.encode(), seed)] for text in texts for seed in (0, 2**64 - 2)],
        # A stream's seed: the stream's name is hashed with the run's seed, the index with the result.
        "derive_seed": [
            [seed, name, index, hash64(struct.pack("<Q", index), hash64(name.encode(), seed))]
            for seed, name, index in seeds
        ],
    }
    (OUT / "hashes.json").write_text(json.dumps(document, indent=1) + "\n")


arrays()
hashes()
