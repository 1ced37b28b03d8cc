#include "infoscissors/data/search.h"

#include "infoscissors/base/file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <cstdlib>

namespace infoscissors::data {
namespace {

using testing::HasSubstr;

/// Sets an environment variable while it lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    const char* old = std::getenv(name);
    if (old != nullptr) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

class Search : public testing::Test {
 protected:
  void put(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    base::write_file(directory / "marker", "");
  }
  tests::TemporaryDirectory given_, variable_, cache_, system_;
  Environment data_{"INFOSCISSORS_DATA", variable_.path().string()};
  Environment home_{"XDG_CACHE_HOME", cache_.path().string()};
  Files files_{
      .directory = "set", .markers = {"other", "marker"}, .system_places = {system_.path()}, .remedy = "fetch it"};
};

TEST_F(Search, TakesTheFirstPlaceThatHasTheFiles) {
  EXPECT_EQ(cache_directory(), cache_ / "infoscissors");
  put(system_.path());
  EXPECT_EQ(find_files(files_, ""), system_.path());
  put(cache_directory() / "set");
  EXPECT_EQ(find_files(files_, ""), cache_directory() / "set");
  put(variable_.path());
  EXPECT_EQ(find_files(files_, ""), variable_.path());
  put(variable_ / "set");
  EXPECT_EQ(find_files(files_, ""), variable_ / "set");
}

TEST_F(Search, AGivenPathIsTheOnlyPlace) {
  put(variable_ / "set");
  const auto message = tests::message_of([&] { find_files(files_, given_.path().string()); });
  EXPECT_THAT(message, HasSubstr(given_.path().string()));
  EXPECT_THAT(message, HasSubstr("fetch it"));
  EXPECT_THAT(message, testing::Not(HasSubstr(variable_.path().string())));
  put(given_.path());
  EXPECT_EQ(find_files(files_, given_.path().string()), given_.path());
}

}  // namespace
}  // namespace infoscissors::data
