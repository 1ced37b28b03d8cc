#pragma once

#include "infoscissors/base/error.h"
#include "infoscissors/base/options.h"
#include "infoscissors/base/spec.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace infoscissors::base {

/// What a method says of itself. It feeds the help, the configuration's errors and the documentation's table.
struct Doc {
  std::string name;
  std::string summary;  // one line
  std::string source;   // paper and section
};

/// The methods of one kind by name. `Make` is the factory's signature behind the parsed spec.
template <class Product>
class Registry {
 public:
  struct Entry {
    Doc doc;
    Json options;                                       // schema, see describe()
    std::function<Product(const Spec&)> make;           // throws UsageError for wrong options
    std::function<std::string(const Spec&)> canonical;  // the spec with defaults left out
    Json traits;                                        // what else a table shows: sites, view, goal
  };

  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  void add(Entry entry) {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), entry.doc.name,
                                        [](const Entry& e, const std::string& name) { return e.doc.name < name; });
    entries_.insert(place, std::move(entry));
  }

  /// Throws UsageError with the nearest name.
  const Entry& find(std::string_view name) const {
    for (const auto& entry : entries_) {
      if (entry.doc.name == name) return entry;
    }
    throw UsageError("there is no {} '{}': {}", kind_, name, suggestion(name, names()));
  }

  Product make(const Spec& spec) const { return find(spec.name).make(spec); }
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& entry : entries_) list.push_back(entry.doc.name);
    return list;
  }

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

/// Builds the entry of a class that has a nested `Options` with fields(), a static doc() and a constructor from
/// Options. `wrap` turns the options into the product.
template <class Product, class Options, class Wrap>
typename Registry<Product>::Entry make_entry(Doc doc, Json traits, Wrap wrap) {
  Options defaults;
  const auto parse = [name = doc.name](const Spec& spec) {
    Options options;
    assign(options.fields(), spec, "[" + name + "]");
    return options;
  };
  return {
      .doc = doc,
      .options = describe(defaults.fields()),
      .make = [parse, wrap](const Spec& spec) -> Product { return wrap(parse(spec)); },
      .canonical =
          [parse, name = doc.name](const Spec& spec) {
            Options options = parse(spec);
            Options fresh;
            return print_spec(name, options.fields(), to_json(fresh.fields()));
          },
      .traits = std::move(traits),
  };
}

}  // namespace infoscissors::base
