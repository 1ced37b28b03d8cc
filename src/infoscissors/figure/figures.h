#pragma once

#include "infoscissors/figure/gnuplot.h"
#include "infoscissors/figure/plot.h"
#include "infoscissors/stats/bootstrap.h"
#include "infoscissors/study/study.h"
#include "infoscissors/study/summary.h"

#include <cstdint>
#include <string>
#include <vector>

namespace infoscissors::figure {

/// What of a study is drawn and how.
struct FigureOptions {
  study::Choice choice;
  stats::Bootstrap bootstrap;  // of bands
  double tolerance = 0.03;     // accuracy that a selected strength may lose against no defence
  std::int64_t images = 8;     // columns of a grid
};

struct Drawing {
  std::string bytes;
  std::string caption;  // what it shows and how its choices were made
};

/// A figure by name.
struct FigureDoc {
  std::string name;
  std::string summary;
};
std::vector<FigureDoc> figures();

/// Throws UsageError for a name there is none of, and for a study that lacks what the figure shows, saying what.
Drawing draw_figure(const std::string& name, const study::Study& study, const FigureOptions& options, Format format);

/// Accuracy against SSIM (figure 4) or against labels inferred (figure 5), all defences; a panel for each place and
/// attack.
Plot reconstruction_plot(const study::Study& study, const FigureOptions& options);
Plot inference_plot(const study::Study& study, const FigureOptions& options);

/// Runs that protect input and prediction at once (figure 7): accuracy against both leakages, with the range over the
/// seeds.
Plot both_plot(const study::Study& study, const FigureOptions& options);

/// Leakage against the attacker's images or labels, a panel for each place and family of the attacker's network; each
/// defence at the strength that leaks least within the tolerance.
Plot budget_plot(const study::Study& study, const FigureOptions& options);

/// I(r; y) against I(r; x), and both parts of I(r; x) against SSIM, for mid and infoscissors.
Plot plane_plot(const study::Study& study, const FigureOptions& options);

/// Originals and what an attack made of them, a row for each defence and strength, SSIM under each.
Drawing image_grid(const study::Study& study, const FigureOptions& options, const study::Place& place, Format format);

/// The places of which some run left pictures, in order.
std::vector<study::Place> pictured_places(const study::Study& study, const FigureOptions& options);

}  // namespace infoscissors::figure
