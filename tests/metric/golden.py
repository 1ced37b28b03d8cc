#!/usr/bin/python3
"""Writes the reference values of tests/metric: similarity by scikit-image.

Run from anywhere: tests/metric/golden.py. The images are written with the values, so that the comparison does not
depend on a random generator's version.
"""
import json
import pathlib

import numpy as np
from scipy import ndimage
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

DATA = pathlib.Path(__file__).parent / "data"


def pictures(rng, count, channels, height, width):
    """Smooth structure with some detail, as uint8 so that the stored files stay small."""
    noise = rng.normal(size=(count, channels, height, width))
    smooth = ndimage.gaussian_filter(noise, (0, 0, 2, 2))
    smooth = smooth / smooth.std() * 0.2 + 0.5 + 0.02 * noise
    return np.rint(np.clip(smooth, 0, 1) * 255).astype(np.uint8)


def reference(a, b):
    a, b = a.astype(np.float64) / 255, b.astype(np.float64) / 255
    ssim = structural_similarity(a, b, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                 data_range=1)
    with np.errstate(divide="ignore"):
        psnr = peak_signal_noise_ratio(a, b, data_range=1)
    return {"ssim": float(ssim), "mse": float(mean_squared_error(a, b)), "psnr": str(float(psnr))}


def cases(rng):
    grey = pictures(rng, 4, 1, 28, 28)
    yield "grey", grey, np.clip(grey + rng.normal(scale=[[[[5]]], [[[25]]], [[[60]]], [[[120]]]], size=grey.shape), 0, 255)
    colour = pictures(rng, 3, 3, 32, 32)
    yield "colour", colour, ndimage.gaussian_filter(colour, (0, 0, 1.5, 1.5))
    yield "non_square", pictures(rng, 2, 3, 17, 40), pictures(rng, 2, 3, 17, 40)
    smallest = pictures(rng, 2, 1, 11, 11)
    yield "smallest", smallest, smallest[::-1]
    yield "identical", grey[:2], grey[:2]
    yield "inverted", grey[:2], 255 - grey[:2]
    flat = np.stack([np.full((1, 16, 16), value) for value in (0, 255, 128)])
    yield "constant", flat, flat[[1, 1, 0]]
    yield "constant_against_picture", flat[:2], pictures(rng, 2, 1, 16, 16)


def main():
    rng = np.random.default_rng(20240601)
    DATA.mkdir(exist_ok=True)
    images = {}
    for name, a, b in cases(rng):
        a, b = a.astype(np.uint8), b.astype(np.uint8)
        np.save(DATA / f"{name}_a.npy", a)
        np.save(DATA / f"{name}_b.npy", b)
        images[name] = [reference(x, y) for x, y in zip(a, b)]
    text = json.dumps({"images": images}, indent=1)
    (DATA / "golden.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
