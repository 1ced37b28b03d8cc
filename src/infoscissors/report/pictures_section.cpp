#include "infoscissors/base/error.h"
#include "infoscissors/image/image.h"
#include "infoscissors/report/escape.h"
#include "infoscissors/report/pictures.h"
#include "infoscissors/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::report {
namespace {

using results::AttackRecord;

constexpr std::int64_t kShown = 16;  // images a row

/// Runs that attacked the same images share one grid.
struct Grid {
  Pictures originals;
  std::vector<std::size_t> runs;
};

std::vector<Grid> grids_of(const std::vector<RunDirectory>& runs) {
  std::vector<Grid> grids;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].record.originals.empty()) continue;
    Pictures originals(runs[i].path / runs[i].record.originals);
    const auto same = std::find_if(grids.begin(), grids.end(),
                                   [&](const Grid& grid) { return grid.originals.hash() == originals.hash(); });
    if (same == grids.end()) {
      grids.push_back({std::move(originals), {i}});
    } else {
      same->runs.push_back(i);
    }
  }
  return grids;
}

std::string picture(const Pictures& pictures, std::int64_t index, const std::string& alt) {
  return fmt::format("<img src='{}' alt='{}'>", pictures.data_uri(index), escape(alt));
}

std::string original_row(const Pictures& originals) {
  std::string out = "<tr><th scope='row'>Originals</th>";
  for (std::int64_t i = 0; i < std::min(kShown, originals.count()); ++i) {
    out += fmt::format("<td>{}</td>", picture(originals, i, fmt::format("Original {}", i + 1)));
  }
  return out + "</tr>\n";
}

std::string attack_row(const RunDirectory& run, const AttackRecord& attack) {
  const auto file = run.path / attack.images;
  const Pictures pictures(file);
  if (static_cast<std::size_t>(pictures.count()) != attack.samples.size()) {
    throw base::Error("{}: holds {} images, but the record describes {}", file.string(), pictures.count(),
                      attack.samples.size());
  }
  std::string out = fmt::format("<tr><th scope='row'>{}<small>{}</small></th>", code(attack.spec), escape(attack.view));
  for (std::int64_t i = 0; i < std::min(kShown, pictures.count()); ++i) {
    const double ssim = attack.samples[static_cast<std::size_t>(i)].ssim;
    const std::string text = std::isfinite(ssim) ? fmt::format("{:.2f}", ssim) : "-";
    const std::string alt =
        fmt::format("Reconstruction of original {} by {} against {}, SSIM {}", i + 1, attack.spec, label(run), text);
    out += fmt::format("<td>{}<span class='ssim'>{}</span></td>", picture(pictures, i, alt), text);
  }
  return out + "</tr>\n";
}

std::string grid_html(const Grid& grid, const std::vector<RunDirectory>& runs, const Comparison& comparison) {
  const auto columns = std::min(kShown, grid.originals.count());
  std::string out =
      "<div class='scroll fit' tabindex='0' role='region' aria-label='Originals and reconstructions'><table "
      "class='pictures'><thead class='hidden'><tr><th scope='col'>Attack</th>";
  for (std::int64_t i = 0; i < columns; ++i) out += fmt::format("<th scope='col'>Image {}</th>", i + 1);
  out += "</tr></thead>\n<tbody>" + original_row(grid.originals) + "</tbody>\n";
  for (const auto index : grid.runs) {
    std::string rows;
    for (const auto& attack : runs[index].record.attacks) {
      if (!attack.images.empty()) rows += attack_row(runs[index], attack);
    }
    if (rows.empty()) continue;
    out +=
        fmt::format("<tbody><tr class='run'><th scope='rowgroup' colspan='{}'><span>{}</span></th></tr>\n{}</tbody>\n",
                    columns + 1, escape(comparison.rows[index].label), rows);
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string pictures_section(const std::vector<RunDirectory>& runs, const Comparison& comparison) {
  const bool any = std::any_of(runs.begin(), runs.end(), [](const auto& run) { return !run.record.originals.empty(); });
  if (!any) return {};
  std::string out =
      "<section aria-labelledby='pictures'><h2 id='pictures'>What the server sees</h2>\n"
      "<p>Originals and what each attack made of them. The number is the SSIM with the original above.</p>\n";
  if (!image::codecs_available()) {
    return out +
           "<p class='warning'>This program was built without the component \"codecs\", which writes "
           "pictures.</p></section>\n";
  }
  for (const auto& grid : grids_of(runs)) out += grid_html(grid, runs, comparison);
  return out + "</section>\n";
}

}  // namespace infoscissors::report
