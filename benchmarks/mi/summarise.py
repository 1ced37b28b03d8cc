"""Draws a chart a channel and writes the tables of the documentation from mi_curves' CSV files.

Usage: summarise.py DIRECTORY_OF_CSV DIRECTORY_FOR_SVG MARKDOWN
The text between the marks in MARKDOWN is replaced; without the file, or without marks, it becomes the tables alone.
"""
import collections
import csv
import html
import math
import pathlib
import statistics
import sys

BEGIN, END = "<!-- begin: benchmarks/mi/run -->", "<!-- end: benchmarks/mi/run -->"
ORDER = ["l1out", "vib", "club", "vclub-s", "club-unit", "barber-agakov", "smile", "ksg", "mine", "nwj", "infonce"]
COLOURS = {"club": "#d55e00", "vclub-s": "#e69f00", "club-unit": "#999999", "l1out": "#0072b2", "vib": "#56b4e9",
           "barber-agakov": "#cc79a7", "nwj": "#f0c000", "infonce": "#009e73", "mine": "#7f3c8d", "smile": "#a05a2c",
           "ksg": "#000000"}
WIDTH, HEIGHT, MARGIN = 250, 210, 38


def read(directory):
    """(channel, dimension, truth) -> estimator -> rows."""
    cells = collections.defaultdict(lambda: collections.defaultdict(list))
    for path in sorted(directory.glob("*.csv")):
        if path.stem in ("speed", "reference"):
            continue
        with path.open() as file:
            for row in csv.DictReader(file):
                key = row["channel"], int(row["dimension"]), round(float(row["truth"]), 4)
                cells[key][row["estimator"]].append({name: float(row[name]) for name in ("value", "low", "high", "seconds")})
    return cells


def mean(rows, name):
    values = [row[name] for row in rows if math.isfinite(row[name])]
    return statistics.fmean(values) if values else math.nan


def number(value):
    if math.isnan(value):
        return "-"
    return f"{value + 0.0:.0f}" if abs(value) >= 100 else f"{round(value, 2) + 0.0:.2f}"


def bias_and_deviation(rows, truth):
    """Bias and standard deviation over seeds."""
    values = [row["value"] for row in rows if math.isfinite(row["value"])]
    if not values:
        return "-"
    deviation = number(statistics.stdev(values)) if len(values) > 1 else "-"
    bias = number(statistics.fmean(values) - truth)
    return f"{bias if bias.startswith('-') else '+' + bias} ({deviation})"


def panel(title, truths, lines, left):
    """One chart: estimate against truth. lines: estimator -> values."""
    top = 1.6 * max(truths)
    bottom = -0.15 * max(truths)
    span = WIDTH - 2 * MARGIN
    x = lambda t: left + MARGIN + span * t / max(truths)
    y = lambda v: MARGIN + (HEIGHT - 2 * MARGIN) * (1 - (min(max(v, bottom), top) - bottom) / (top - bottom))
    parts = [f'<text x="{left + WIDTH / 2:.0f}" y="20" text-anchor="middle" font-weight="bold">{html.escape(title)}</text>']
    for step in range(5):
        tick = max(truths) * step / 4
        parts.append(f'<text x="{x(tick):.0f}" y="{HEIGHT - MARGIN + 14}" text-anchor="middle">{tick:.3g}</text>')
        parts.append(f'<text x="{left + MARGIN - 5}" y="{y(tick) + 3:.0f}" text-anchor="end">{tick:.3g}</text>')
        parts.append(f'<path d="M{x(0):.0f} {y(tick):.0f}H{x(max(truths)):.0f}" stroke="#ddd"/>')
    parts.append(f'<path d="M{x(0):.1f} {y(0):.1f}L{x(max(truths)):.1f} {y(max(truths)):.1f}" stroke="#888" '
                 'stroke-width="4" stroke-opacity=".5"/>')
    for name, values in lines.items():
        points = [(x(t), y(v)) for t, v in zip(truths, values) if not math.isnan(v)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2" fill="{COLOURS[name]}"/>' for a, b in points]
    return "\n".join(parts)


def draw(channel, cells, path):
    dimensions = sorted({key[1] for key in cells if key[0] == channel})
    names = [name for name in ORDER if any(name in found for key, found in cells.items() if key[0] == channel)]
    parts = []
    for i, dimension in enumerate(dimensions):
        truths = sorted(key[2] for key in cells if key[:2] == (channel, dimension))
        lines = {name: [mean(cells[channel, dimension, t].get(name, []), "value") for t in truths] for name in names}
        title = f"{channel}, {dimension} {'labels' if channel == 'symmetric' else 'dimensions'}"
        parts.append(panel(title, truths, lines, i * WIDTH))
    right = len(dimensions) * WIDTH
    for i, name in enumerate(["truth", *names]):
        colour = COLOURS.get(name, "#888")
        parts.append(f'<path d="M{right} {24 + 15 * i}h18" stroke="{colour}" stroke-width="3"/>'
                     f'<text x="{right + 23}" y="{28 + 15 * i}">{name}</text>')
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right + 120} {HEIGHT}" width="{right + 120}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="10">\n<title>Estimate against truth, nats: {channel}</title>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(row) + " |" for row in rows)])


def value_table(cells, channel, dimension):
    truths = sorted(key[2] for key in cells if key[:2] == (channel, dimension))
    names = [name for name in ORDER if any(name in cells[channel, dimension, t] for t in truths)]
    rows = []
    for name in names:
        found = [cells[channel, dimension, t].get(name, []) for t in truths]
        seconds = statistics.fmean(mean(rows_of, "seconds") for rows_of in found)
        rows.append([f"`{name}`", *(bias_and_deviation(rows_of, t) for rows_of, t in zip(found, truths)), f"{seconds:.1f}"])
    return table(["estimator", *(f"I = {t:.3g}" for t in truths), "seconds"], rows)


def ends_table(cells, channel):
    """The conservative ends of the recommended pair."""
    rows = []
    for key in sorted(key for key in cells if key[0] == channel):
        found = cells[key]
        rows.append([str(key[1]), f"{key[2]:.3g}", number(mean(found.get("infonce", []), "low")),
                     number(mean(found.get("l1out", []), "high"))])
    return table(["dimensions", "truth", "`infonce`, low", "`l1out`, high"], rows)


def speed_table(directory):
    if not (directory / "reference.csv").exists():
        return ""
    ours, theirs = {}, {}
    for path, target in ((directory / "speed.csv", ours), (directory / "reference.csv", theirs)):
        with path.open() as file:
            for row in csv.DictReader(file):
                target[row["estimator"]] = float(row["value"]), float(row["seconds"])
    rows = [[f"`{name}`", number(ours[name][0]), f"{ours[name][1]:.2f}", number(theirs[name][0]), f"{theirs[name][1]:.2f}",
             f"{theirs[name][1] / ours[name][1]:.1f}"]
            for name in theirs if name in ours]
    return ("\n\nBeside the published formulation in Python (`benchmarks/mi/reference.py`: critics of the concatenated pair, "
            "quadratic forms by broadcasting; as many steps): 20 dimensions, 4 nats, 4,000 pairs.\n\n"
            + table(["estimator", "value", "seconds", "value in Python", "seconds in Python", "times as fast"], rows))


def tables(cells, directory):
    text = []
    titles = {"gaussian": "Gaussians, {} dimensions", "cubic": "Gaussians with y cubed, {} dimensions",
              "symmetric": "A symmetric channel over {} labels", "mixture": "A mixture of two Gaussians, {} dimension"}
    for channel, title in titles.items():
        for dimension in sorted({key[1] for key in cells if key[0] == channel}):
            chart = f"![{channel}](mutual-information/{channel}.svg)\n\n" if dimension == min(
                key[1] for key in cells if key[0] == channel) else ""
            text.append(f"{chart}{title.format(dimension)}: bias (standard deviation over seeds), nats.\n\n"
                        + value_table(cells, channel, dimension))
    text.append("The conservative ends of the recommended pair for Gaussians, mean over seeds:\n\n" + ends_table(cells, "gaussian"))
    return "\n\n".join(text) + speed_table(directory)


def main():
    source, charts, target = (pathlib.Path(argument) for argument in sys.argv[1:])
    cells = read(source)
    charts.mkdir(parents=True, exist_ok=True)
    for channel in sorted({key[0] for key in cells}):
        draw(channel, cells, charts / f"{channel}.svg")
    new = f"{BEGIN}\n\n{tables(cells, source)}\n\n{END}"
    old = target.read_text() if target.exists() else ""
    if BEGIN in old and END in old:
        new = old[: old.index(BEGIN)] + new + old[old.index(END) + len(END):]
    target.write_text(new if new.endswith("\n") else new + "\n")


if __name__ == "__main__":
    main()
