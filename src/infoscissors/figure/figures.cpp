#include "infoscissors/figure/figures.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/options.h"

#include <functional>

namespace infoscissors::figure {
namespace {

struct Figure {
  FigureDoc doc;
  std::function<Drawing(const study::Study&, const FigureOptions&, Format)> make;
};

template <class Builder>
auto plotted(Builder build) {
  return [build](const study::Study& study, const FigureOptions& options, Format format) -> Drawing {
    const Plot plot = build(study, options);
    return {draw(plot, format), plot.caption};
  };
}

auto grid(bool last) {
  return [last](const study::Study& study, const FigureOptions& options, Format format) {
    const auto places = pictured_places(study, options);
    if (places.empty()) {
      throw base::UsageError(
          "a grid shows pictures, and none of these runs left some: run directories hold them, long tables do not");
    }
    return image_grid(study, options, last ? places.back() : places.front(), format);
  };
}

const std::vector<Figure>& entries() {
  static const std::vector<Figure> kEntries = {
      {{"3",
        "originals and reconstructions by defence and strength, SSIM under each, in the first place (data set, "
        "network, cut)"},
       grid(false)},
      {{"4", "accuracy against SSIM of reconstructions, all defences"}, plotted(reconstruction_plot)},
      {{"5", "accuracy against labels inferred, all defences"}, plotted(inference_plot)},
      {{"7", "infoscissors protecting input and prediction at once"}, plotted(both_plot)},
      {{"8", "as 3, in the last place"}, grid(true)},
      {{"budget", "leakage against the attacker's images or labels and its network"}, plotted(budget_plot)},
      {{"plane", "information plane of mid and infoscissors"}, plotted(plane_plot)},
  };
  return kEntries;
}

}  // namespace

std::vector<FigureDoc> figures() {
  std::vector<FigureDoc> list;
  for (const auto& entry : entries()) list.push_back(entry.doc);
  return list;
}

Drawing draw_figure(const std::string& name, const study::Study& study, const FigureOptions& options, Format format) {
  std::vector<std::string> names;
  for (const auto& entry : entries()) {
    if (entry.doc.name == name) return entry.make(study, options, format);
    names.push_back(entry.doc.name);
  }
  throw base::UsageError("there is no figure '{}': {}", name, base::suggestion(name, names));
}

}  // namespace infoscissors::figure
