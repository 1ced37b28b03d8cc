#include "cli/command.h"

#include "infoscissors/base/file.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/data/fetch.h"
#include "infoscissors/data/info.h"
#include "infoscissors/data/search.h"
#include "infoscissors/image/image.h"

#include <memory>

namespace infoscissors::cli {
namespace {

using base::Json;

void add_data_list(CLI::App& parent, Common& common) {
  auto* command = parent.add_subcommand("list", "List the data sets");
  command->callback([&common] {
    Json list = Json::array();
    std::string text;
    for (const auto& doc : data::datasets()) {
      list.push_back({{"name", doc.name}, {"summary", doc.summary}, {"source", doc.source}});
      text += fmt::format("{:<14} {}{}\n", doc.name, doc.summary, doc.source.empty() ? "" : " (" + doc.source + ")");
    }
    emit(common, list, text);
  });
}

void add_data_info(CLI::App& parent, Common& common) {
  struct Arguments {
    data::DataOptions options;
    std::string contact_sheet;
  };
  auto* command = parent.add_subcommand("info", "Count a data set's images, show its classes, splits and statistics");
  auto arguments = std::make_shared<Arguments>();
  auto& options = arguments->options;
  command->add_option("name", options.name, "The data set, see `infoscissors data list`")->required();
  command->add_option("--path", options.path, "The directory with its files; default: the usual places");
  command->add_option("--labels", options.labels, "CIFAR-100: fine or coarse classes")
      ->check(CLI::IsMember({"fine", "coarse"}))
      ->capture_default_str();
  command->add_option("--image-size", options.image_size, "folder, synthetic: side of the square images")
      ->check(CLI::Range(0, 1024));
  command->add_option("--channels", options.channels, "folder, synthetic: 1 or 3")->check(CLI::IsMember({0, 1, 3}));
  command->add_option("--contact-sheet", arguments->contact_sheet, "Write a PNG with ten images of each class");
  command->callback([arguments, &common] {
    const data::Dataset dataset = data::load_dataset(arguments->options);
    Json description = data::describe_dataset(dataset, arguments->options);
    std::string text = data::print_description(description);
    if (!arguments->contact_sheet.empty()) {
      base::write_file(arguments->contact_sheet, image::encode_png(data::contact_sheet(dataset)));
      description["contact_sheet"] = arguments->contact_sheet;
      text += fmt::format("\ncontact sheet: {}\n", arguments->contact_sheet);
    }
    emit(common, description, text);
  });
}

void add_data_fetch(CLI::App& parent, Common& common) {
  struct Arguments {
    std::string name, url, to;
  };
  auto* command = parent.add_subcommand("fetch", "Download CIFAR-10 or CIFAR-100, check it and unpack it");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("name", arguments->name, "cifar10 or cifar100")->required();
  command->add_option("--url", arguments->url, "Another place of the official archive: http, https or file");
  command->add_option("--to", arguments->to, "Directory; default: the cache directory, where it is looked for");
  command->callback([arguments, &common] {
    data::Archive archive = data::official_archive(arguments->name);
    if (!arguments->url.empty()) archive.url = arguments->url;
    const auto directory =
        data::fetch(archive, arguments->to.empty() ? data::cache_directory() : std::filesystem::path(arguments->to));
    emit(common, {{"name", archive.name}, {"directory", directory.string()}}, directory.string() + "\n");
  });
}

}  // namespace

void add_data(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("data", "List, fetch and look at data sets");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  infoscissors data list\n"
      "  infoscissors data fetch cifar10\n"
      "  infoscissors data info cifar10 --contact-sheet cifar10.png\n"
      "  infoscissors data info folder --path ~/pictures --image-size 64");
  add_data_list(*command, common);
  add_data_info(*command, common);
  add_data_fetch(*command, common);
}

}  // namespace infoscissors::cli
