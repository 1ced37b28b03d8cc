#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/figure/curve.h"
#include "infoscissors/figure/pictures.h"
#include "infoscissors/results/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace infoscissors::figure {
namespace {

using study::Entry;
using study::Group;
using study::Summary;

constexpr double kLabelWidth = 190, kCell = 66, kGap = 6, kBelow = 20, kAbove = 34, kMargin = 8;
constexpr std::int64_t kSmallest =
    96;  // pixels of a cell's picture: enlarged by whole factors, so that edges stay sharp

/// A row of the grid: one run's reconstructions.
struct GridRow {
  std::string name, detail;
  Pictures pictures;
  std::vector<double> ssim;  // empty for the originals
};

study::Place place_of(const Entry& entry) {
  const auto& l = entry.labels;
  return {l.dataset, l.backbone, l.cut, l.width};
}

bool belongs(const Entry& entry, const Group& group) {
  return place_of(entry) == group.place && entry.labels.defense == group.defense && entry.record.defense == group.spec;
}

const results::AttackRecord* attack_with_images(const Entry& entry, const std::string& spec) {
  for (const auto& attack : entry.record.attacks) {
    if (attack.spec == spec && !attack.images.empty()) return &attack;
  }
  return nullptr;
}

// The attack that is shown: of those that left pictures the ka, or where there is none any other, whose mean over
// all groups is largest.
std::string shown_attack(const study::Study& study, const Summary& summary) {
  std::string best;
  std::pair<bool, double> most{false, -INFINITY};
  for (const auto& attack : summary.attacks) {
    if (attack.goal != "input") continue;
    const bool pictured = std::any_of(study.entries.begin(), study.entries.end(), [&](const Entry& entry) {
      return attack_with_images(entry, attack.spec) != nullptr;
    });
    if (!pictured) continue;
    double sum = 0;
    int count = 0;
    for (const auto& group : summary.groups) {
      const double leaked = study::leakage(group, attack).mean;
      if (std::isfinite(leaked)) sum += leaked, ++count;
    }
    const std::pair<bool, double> score{attack.name() == "ka", count == 0 ? -INFINITY : sum / count};
    if (!best.empty() && score <= most) continue;
    best = attack.spec;
    most = score;
  }
  return best;
}

// The lowest seed for which the most rows can be shown.
std::uint64_t shown_seed(const study::Study& study, const study::Place& place, const std::string& attack) {
  std::map<std::uint64_t, int> counts;
  for (const auto& entry : study.entries) {
    if (place_of(entry) == place && attack_with_images(entry, attack) != nullptr) ++counts[entry.labels.seed];
  }
  const auto best =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == counts.end() ? 0 : best->first;
}

std::optional<GridRow> row_of(const Entry& entry, const Group& group, const std::string& spec) {
  const auto* attack = attack_with_images(entry, spec);
  if (attack == nullptr) return {};
  GridRow row{study::short_name(group), {}, Pictures(entry.path / attack->images), {}};
  if (static_cast<std::size_t>(row.pictures.count()) != attack->samples.size()) {
    throw base::Error("{}: holds {} images, but the record describes {}", (entry.path / attack->images).string(),
                      row.pictures.count(), attack->samples.size());
  }
  for (const auto& sample : attack->samples) row.ssim.push_back(sample.ssim);
  const auto accuracy = entry.record.measures.find("accuracy");
  if (accuracy != entry.record.measures.end())
    row.detail = "accuracy " + results::measure_text("accuracy", accuracy->second);
  return row;
}

bool same_pictures(const Pictures& a, const Pictures& b) {
  return a.bytes() == b.bytes();
}

/// The grid's pictures as one image, for gnuplot places them as one. Everything between them is white.
struct Raster {
  std::int64_t width, height;
  std::string data;  // rows of red, green, blue

  Raster(std::int64_t w, std::int64_t h)
      : width(w), height(h), data(static_cast<std::size_t>(3 * w * h), static_cast<char>(0xFF)) {}

  void put(const Pictures& pictures, std::int64_t image, std::int64_t left, std::int64_t top, std::int64_t scale) {
    for (std::int64_t y = 0; y < pictures.height() * scale; ++y) {
      for (std::int64_t x = 0; x < pictures.width() * scale; ++x) {
        const auto colour = pictures.pixel(image, y / scale, x / scale);
        for (std::size_t c = 0; c < colour.size(); ++c)
          data[static_cast<std::size_t>(3 * ((top + y) * width + left + x)) + c] = static_cast<char>(colour[c]);
      }
    }
  }
};

std::string label(double x, double y, const std::string& text, const char* options) {
  return fmt::format("set label {} at {:.2f},{:.2f} {} front\n", quoted(text), x, y, options);
}

Drawing draw_grid(const std::vector<GridRow>& rows, std::int64_t columns, const std::string& title, Format format) {
  const auto& first = rows.front().pictures;
  const auto scale = std::max<std::int64_t>(1, (kSmallest + first.width() - 1) / first.width());
  const double unit = kCell / static_cast<double>(first.width() * scale);  // a raster pixel in figure pixels
  const double cell_height = unit * static_cast<double>(first.height() * scale);
  const auto pitch_x = static_cast<std::int64_t>(std::lround((kCell + kGap) / unit));
  const auto pitch_y = static_cast<std::int64_t>(std::lround((cell_height + kBelow) / unit));
  const auto count = static_cast<std::int64_t>(rows.size());
  Raster raster(pitch_x * columns, pitch_y * count);
  const Size size{kLabelWidth + unit * static_cast<double>(raster.width) + kMargin,
                  kAbove + unit * static_cast<double>(raster.height) + kMargin};
  std::string labels = label(kMargin, kAbove / 2, title, "left");
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    const double top = kAbove + unit * static_cast<double>(i * pitch_y);
    labels += label(kMargin, top + cell_height / 2 - (row.detail.empty() ? 0 : 8), row.name, "left");
    if (!row.detail.empty())
      labels += label(kMargin, top + cell_height / 2 + 10, row.detail, "left font ',10' tc rgb '#555555'");
    for (std::int64_t j = 0; j < std::min(columns, row.pictures.count()); ++j) {
      raster.put(row.pictures, j, j * pitch_x, i * pitch_y, scale);
      if (row.ssim.empty()) continue;
      const double x = kLabelWidth + unit * static_cast<double>(j * pitch_x) + kCell / 2;
      const double ssim = row.ssim[static_cast<std::size_t>(j)];
      labels +=
          label(x, top + cell_height + 8, std::isfinite(ssim) ? fmt::format("{:.2f}", ssim) : "-", "center font ',10'");
    }
  }
  const Scratch scratch;
  const auto file = scratch.path() / "grid.rgb";
  base::write_file(file, raster.data);
  const std::string script = fmt::format(
      "set lmargin at screen 0\nset rmargin at screen 1\nset tmargin at screen 1\nset bmargin at screen 0\nunset "
      "border\n"
      "unset tics\nunset key\nset xrange [0:{0:.3f}]\nset yrange [{1:.3f}:0]\n{2}plot {3} binary array=({4},{5}) "
      "format='%uchar' origin=({6:.3f},{7:.3f}) dx={8:.6f} dy={8:.6f} using 1:2:3 with rgbimage",
      size.width, size.height, labels, quoted(file.string()), raster.width, raster.height, kLabelWidth + unit / 2,
      kAbove + unit / 2, unit);
  return {draw(script, size, format), {}};
}

}  // namespace

std::vector<study::Place> pictured_places(const study::Study& study, const FigureOptions& options) {
  auto places = study::summarise(study.rows, options.choice).places();
  std::erase_if(places, [&](const study::Place& place) {
    return std::none_of(study.entries.begin(), study.entries.end(), [&](const Entry& entry) {
      return place_of(entry) == place && !entry.record.originals.empty();
    });
  });
  return places;
}

Drawing image_grid(const study::Study& study, const FigureOptions& options, const study::Place& place, Format format) {
  const auto summary = study::summarise(study.rows, options.choice);
  const auto attack = shown_attack(study, summary);
  if (attack.empty()) {
    throw base::UsageError("a grid shows reconstructions, and no attack on the input left some");
  }
  const auto seed = shown_seed(study, place, attack);
  std::vector<GridRow> rows;
  int other_images = 0;
  for (const auto& group : summary.groups) {
    if (group.place != place) continue;
    for (const auto& entry : study.entries) {
      if (entry.labels.seed != seed || !belongs(entry, group)) continue;
      auto row = row_of(entry, group, attack);
      if (!row) continue;
      Pictures originals(entry.path / entry.record.originals);
      if (rows.empty())
        rows.push_back({"Originals", {}, std::move(originals), {}});
      else if (!same_pictures(originals, rows.front().pictures)) {
        ++other_images;
        continue;
      }
      rows.push_back(std::move(*row));
    }
  }
  if (rows.empty()) throw base::UsageError("{}: no run has pictures of the attack {}", place.text(), attack);
  const auto columns = std::min(options.images, rows.front().pictures.count());
  auto drawing = draw_grid(rows, columns, fmt::format("{}: {}", place.text(), attack), format);
  drawing.caption = fmt::format(
      "The first images that were attacked and what {} made of them, a row for each defence and strength (seed {}, "
      "{}); "
      "below each its SSIM with the original.",
      attack, seed, place.text());
  if (other_images > 0)
    drawing.caption += fmt::format(" {} runs attacked other images and are left out.", other_images);
  return drawing;
}

}  // namespace infoscissors::figure
