#pragma once

#include "infoscissors/base/json.h"

#include <string>

namespace infoscissors::cli {

/// What `mi` prints for people, from the documents it prints under --json.
std::string estimator_list(const base::Json& list);
std::string array_table(const base::Json& document);  // of two arrays
std::string run_table(const base::Json& document);    // of a run

}  // namespace infoscissors::cli
