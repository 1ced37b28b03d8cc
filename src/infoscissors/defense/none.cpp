#include "infoscissors/defense/defense.h"

namespace infoscissors::defense {
namespace {

/// The undefended network: everything leaves the device as it is.
class None : public Defense {
 public:
  struct Options {
    base::Fields fields() { return {}; }
  };
  explicit None(const Options&) {}
  static base::Doc doc() { return {"none", "no protection: what every defence is compared with", ""}; }
  static std::string sites() { return ""; }
  Learns learns() const override { return Learns::nothing; }
};

const bool kNoneRegistered = register_defense<None>();

}  // namespace
}  // namespace infoscissors::defense
