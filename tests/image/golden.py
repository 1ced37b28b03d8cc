#!/usr/bin/python3
"""Pictures made and decoded by Pillow, resampled by NumPy and PyTorch, compressed by Python's gzip.

Run from anywhere: tests/image/golden.py.
Writes each picture and its pixels as Pillow (not our decoders) reads them.
"""

import gzip
import pathlib

import numpy as np
import torch
from PIL import Image

OUT = pathlib.Path(__file__).parent / "data"
RNG = np.random.default_rng(7)


def smooth(height, width, channels):
    """Low-frequency colours, so that JPEG keeps them close."""
    coarse = torch.tensor(RNG.uniform(0, 255, (1, channels, 4, 4)), dtype=torch.float32)
    fine = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    return fine[0].permute(1, 2, 0).clamp(0, 255).round().byte().numpy()


def save_pixels(name, pixels):
    np.save(OUT / f"{name}.npy", np.ascontiguousarray(pixels, dtype=np.uint8))


def keep(name, picture, pixels=None, **options):
    picture.save(OUT / name, **options)
    reread = Image.open(OUT / name)
    pixels = np.asarray(reread if pixels is None else pixels)
    save_pixels(pathlib.Path(name).stem, pixels if pixels.ndim == 3 else pixels[:, :, None])


def over_white(picture):
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.alpha_composite(picture.convert("RGBA"))
    return white.convert("RGB")


def area(pixels, height, width):
    """Exact area average: every pixel is repeated until both grids divide, then blocks are averaged."""
    big = np.repeat(np.repeat(pixels.astype(np.float64), height, axis=0), width, axis=1)
    return big.reshape(height, pixels.shape[0], width, pixels.shape[1], -1).mean(axis=(1, 3))


def main():
    rgb = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    grey = RNG.integers(0, 256, (7, 5), dtype=np.uint8)
    rgba = RNG.integers(0, 256, (6, 8, 4), dtype=np.uint8)
    keep("rgb.png", Image.fromarray(rgb))
    keep("grey.png", Image.fromarray(grey))
    keep("rgba.png", Image.fromarray(rgba), over_white(Image.fromarray(rgba)))
    palette = Image.fromarray(rgb).quantize(16)
    keep("palette.png", palette, palette.convert("RGB"))
    bits = Image.fromarray(grey).convert("1")
    keep("bits.png", bits, bits.convert("L"))
    wide = RNG.integers(0, 65536, (5, 6), dtype=np.uint16)
    keep("grey16.png", Image.fromarray(wide), np.round(wide / 257.0).astype(np.uint8))
    keep("colour.jpg", Image.fromarray(smooth(23, 31, 3)), quality=95)
    keep("progressive.jpg", Image.fromarray(smooth(20, 20, 3)), quality=90, progressive=True)
    keep("grey_photo.jpg", Image.fromarray(smooth(17, 19, 1)[:, :, 0]), quality=95)
    Image.fromarray(smooth(8, 8, 3)).convert("CMYK").save(OUT / "cmyk.jpg")

    photo = RNG.integers(0, 256, (21, 33, 3), dtype=np.uint8)
    save_pixels("resize_input", photo)
    down = area(photo, 8, 13)  # 33 * 8 / 21 = 12.57 columns
    np.save(OUT / "resize_down.npy", down[:, 2:10].astype(np.float32))
    batch = torch.tensor(photo.astype(np.float32)).permute(2, 0, 1)[None]
    up = torch.nn.functional.interpolate(batch, size=(40, 63), mode="bilinear", align_corners=False)
    np.save(OUT / "resize_up.npy", up[0].permute(1, 2, 0)[:, 11:51].contiguous().numpy())

    text = b"".join(b"line %d\n" % i for i in range(2000))
    (OUT / "lines.gz").write_bytes(gzip.compress(text, mtime=0))
    (OUT / "members.gz").write_bytes(gzip.compress(text[:100], mtime=0) + gzip.compress(text[100:], mtime=0))


main()
