#pragma once

#include "cli/infer_source.h"

#include "infoscissors/base/json.h"
#include "infoscissors/device/device.h"

#include <string>
#include <vector>

namespace infoscissors::cli {

/// What one call was about.
struct CallItem {
  std::string name;
  std::optional<std::int64_t> label;
};

/// Collects answers for the end of `infer`.
class InferReport {
 public:
  explicit InferReport(std::vector<std::string> classes) : classes_(std::move(classes)) {}

  void add(const std::vector<CallItem>& items, const device::Answer& answer);

  /// "cat.png  boot 93.1 %, sneaker 4.2 %"
  std::string line(const CallItem& item, const device::Result& result) const;

  std::int64_t images() const { return images_; }
  std::string text() const;
  base::Json json() const;

 private:
  base::Json stages() const;

  std::vector<std::string> classes_;
  std::vector<device::Answer> answers_;  // without their results
  base::Json results_ = base::Json::array();
  std::int64_t images_ = 0, labelled_ = 0, correct_ = 0;
};

}  // namespace infoscissors::cli
