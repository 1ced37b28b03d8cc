"""Means over seeds of mi_curves' CSV: points-CHANNEL-DIMENSION.dat for gnuplot and summary.md with bias and deviation."""
import collections
import csv
import math
import pathlib
import statistics
import sys


def main():
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cells = collections.defaultdict(list)
    with source.open() as file:
        for row in csv.DictReader(file):
            key = row["channel"], int(row["dimension"]), round(float(row["truth"]), 6), row["estimator"]
            cells[key].append((float(row["value"]), float(row["seconds"])))
    names = sorted({key[3] for key in cells})
    for channel, dimension in sorted({key[:2] for key in cells}):
        lines = ["truth " + " ".join(names)]
        for truth in sorted({key[2] for key in cells if key[:2] == (channel, dimension)}):
            values = [cells.get((channel, dimension, truth, name)) for name in names]
            means = [f"{statistics.fmean(v for v, _ in found):.5g}" if found else "nan" for found in values]
            lines.append(f"{truth:.5g} " + " ".join(means))
        (out / f"points-{channel}-{dimension}.dat").write_text("\n".join(lines) + "\n")
    write_summary(out / "summary.md", names, cells)


def write_summary(path, names, cells):
    text = ["| channel | dimension | nats | " + " | ".join(names) + " |", "|---" * (len(names) + 3) + "|"]
    for channel, dimension, truth in sorted({key[:3] for key in cells}):
        columns = []
        for name in names:
            found = cells.get((channel, dimension, truth, name))
            if not found:
                columns.append("-")
                continue
            values = [value for value, _ in found if math.isfinite(value)]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            columns.append(f"{statistics.fmean(values) - truth:+.2f} ± {spread:.2f}")
        text.append(f"| {channel} | {dimension} | {truth:.2f} | " + " | ".join(columns) + " |")
    seconds = [statistics.fmean(s for key, found in cells.items() if key[3] == name for _, s in found) for name in names]
    text.append("| mean seconds | | | " + " | ".join(f"{value:.2f}" for value in seconds) + " |")
    path.write_text("Bias (mean over seeds minus truth) ± standard deviation over seeds, nats.\n\n" + "\n".join(text) + "\n")


if __name__ == "__main__":
    main()
