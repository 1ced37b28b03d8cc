#include "infoscissors/front/json_request.h"

#include "infoscissors/base/json.h"
#include "infoscissors/wire/error.h"

#include <limits>
#include <utility>

namespace infoscissors::front {
namespace {

using base::Json;
using wire::Code;
using wire::Error;

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Code::invalid_argument, "JSON: {}", fmt::format(format, std::forward<Args>(args)...));
}

// What the value that comes next belongs to.
enum class Place {
  document,
  root,
  inputs,
  input,
  shape,
  data,
  input_parameters,
  outputs,
  output,
  output_parameters,
  parameters,
  skipped,
};

// One open object or array.
struct Level {
  Place place;
  std::string key;         // of the value that comes next, in an object
  std::int64_t count = 0;  // values so far, in an array
  std::uint32_t seen = 0;  // known keys so far, in an object: a bit each
};

// nlohmann's events. Each returns true (go on) or throws.
class Reader : public nlohmann::json_sax<Json> {
 public:
  JsonRequest take() { return std::move(request_); }

  bool null() override {
    if (place() != Place::skipped) wrong("null");
    return true;
  }
  bool boolean(bool value) override { return scalar(value, "a truth value"); }
  bool number_integer(number_integer_t value) override { return number(value, static_cast<float>(value), true); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      if (place() != Place::data && place() != Place::skipped) refuse("a whole number does not fit 64 bits");
      return number(0, static_cast<float>(value), true);
    }
    return number(static_cast<std::int64_t>(value), static_cast<float>(value), true);
  }
  bool number_float(number_float_t value, const string_t&) override {
    if (place() == Place::data) return number(0, static_cast<float>(value), false);
    return scalar(value, "a fraction");
  }
  bool string(string_t& value) override {
    if (value.size() > kJsonText) refuse("a string has {} bytes; at most {} are allowed", value.size(), kJsonText);
    return scalar(std::move(value), "a string");
  }
  bool binary(binary_t&) override { return wrong("binary data"); }

  bool start_object(std::size_t) override {
    switch (place()) {
      case Place::document:
        return push(Place::root);
      case Place::root:
        return push(claim() == "parameters" ? Place::parameters : skip_or_refuse("an object"));
      case Place::inputs:
        one_more(kJsonTensors, "inputs");
        request_.inputs.emplace_back();
        return push(Place::input);
      case Place::outputs:
        one_more(kJsonTensors, "requested outputs");
        request_.outputs.emplace_back();
        return push(Place::output);
      case Place::input:
        return push(claim() == "parameters" ? Place::input_parameters : skip_or_refuse("an object"));
      case Place::output:
        return push(claim() == "parameters" ? Place::output_parameters : skip_or_refuse("an object"));
      case Place::skipped:
        return push(Place::skipped);
      default:
        return wrong("an object");
    }
  }
  bool end_object() override {
    levels_.pop_back();
    return true;
  }
  bool key(string_t& value) override {
    if (value.size() > kJsonText) refuse("a key has {} bytes; at most {} are allowed", value.size(), kJsonText);
    levels_.back().key = std::move(value);
    return true;
  }

  bool start_array(std::size_t) override {
    switch (place()) {
      case Place::root:
        if (const auto& name = claim(); name == "inputs" || name == "outputs")
          return push(name == "inputs" ? Place::inputs : Place::outputs);
        return push(skip_or_refuse("an array"));
      case Place::input:
        return push(array_of_input());
      case Place::output:
        claim();
        return push(skip_or_refuse("an array"));
      case Place::data:
        return push_nested();
      case Place::skipped:
        return push(Place::skipped);
      default:
        return wrong("an array");
    }
  }
  bool end_array() override {
    if (place() == Place::data) close_nested();
    levels_.pop_back();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    // The library's own message quotes what it read, and that may be somebody's tensor.
    refuse("not valid at byte {}", position);
  }

 private:
  Place place() const { return levels_.empty() ? Place::document : levels_.back().place; }

  bool push(Place place) {
    if (levels_.size() >= kJsonDepth) refuse("nested deeper than {} levels", kJsonDepth);
    levels_.push_back({.place = place, .key = {}});
    return true;
  }

  bool wrong(std::string_view what) {
    switch (place()) {
      case Place::document:
        refuse("{} where the request's object was expected", what);
      case Place::shape:
        refuse("{} in a shape, which is a list of whole numbers", what);
      case Place::data:
        refuse("{} in a tensor's data, which are numbers", what);
      case Place::inputs:
      case Place::outputs:
        refuse("{} in a list of tensors, which are objects", what);
      default:
        refuse("{} as the value of '{}'", what, wire::printable(levels_.back().key));
    }
  }

  // The key of the value that starts, remembered so that a second one is refused.
  const std::string& claim() {
    static constexpr std::array<std::string_view, 9> kKnown{"id",   "parameters", "inputs",   "outputs",    "name",
                                                            "data", "shape",      "datatype", "binary_data"};
    auto& level = levels_.back();
    for (std::size_t i = 0; i < kKnown.size(); ++i) {
      if (level.key != kKnown[i]) continue;
      if (level.seen & (1U << i)) refuse("'{}' is given twice", level.key);
      level.seen |= 1U << i;
    }
    return level.key;
  }

  // A value of a kind that no known key of this object has: fine where the key is not known.
  Place skip_or_refuse(std::string_view what) {
    const auto& key = levels_.back().key;
    const bool known =
        key == "parameters" || (place() == Place::root && (key == "id" || key == "inputs" || key == "outputs")) ||
        (place() != Place::root &&
         (key == "name" || (place() == Place::input && (key == "shape" || key == "datatype" || key == "data"))));
    if (known) wrong(what);
    return Place::skipped;
  }

  Place array_of_input() {
    const auto& name = claim();
    auto& input = request_.inputs.back();
    if (name == "shape") {
      input.has_shape = true;
      return Place::shape;
    }
    if (name != "data") return skip_or_refuse("an array");
    input.has_data = true;
    nested_ = 1;
    leaf_ = 0;
    return Place::data;
  }

  void one_more(std::size_t limit, std::string_view what) {
    if (static_cast<std::size_t>(++levels_.back().count) > limit) refuse("more than {} {}", limit, what);
  }

  // Nested data must be a full array: every array of one level as long as the others, numbers at the last level only.
  bool push_nested() {
    if (nested_ >= kJsonRank) refuse("data nested deeper than {} levels", kJsonRank);
    if (leaf_ != 0 && nested_ >= leaf_) refuse("numbers and arrays side by side in a tensor's data");
    ++levels_.back().count;
    ++nested_;
    return push(Place::data);
  }

  void close_nested() {
    auto& lengths = request_.inputs.back().nesting;
    const auto level = nested_ - 1;
    const auto count = levels_.back().count;
    if (lengths.size() <= level) lengths.resize(level + 1, -1);
    if (lengths[level] >= 0 && lengths[level] != count)
      refuse("a tensor's data has rows of {} and of {} values", lengths[level], count);
    lengths[level] = count;
    --nested_;
  }

  bool number(std::int64_t whole, float value, bool integer) {
    if (place() == Place::shape) {
      one_more(kJsonRank, "sizes in a shape");
      request_.inputs.back().shape.push_back(whole);
      return true;
    }
    if (place() != Place::data) return scalar(whole, "a number");
    if (leaf_ == 0) leaf_ = nested_;
    if (leaf_ != nested_) refuse("numbers and arrays side by side in a tensor's data");
    auto& input = request_.inputs.back();
    ++levels_.back().count;
    input.data.push_back(value);
    input.all_integers = input.all_integers && integer;
    return true;
  }

  template <class Value>
  bool scalar(Value&& value, std::string_view what) {
    switch (place()) {
      case Place::skipped:
        return true;
      case Place::parameters:
        return parameter(request_.parameters, std::forward<Value>(value));
      case Place::output_parameters:
        return parameter(request_.outputs.back().parameters, std::forward<Value>(value));
      case Place::input_parameters:
        return input_parameter(std::forward<Value>(value), what);
      case Place::root:
      case Place::input:
      case Place::output:
        return text_of_key(std::forward<Value>(value), what);
      default:
        return wrong(what);
    }
  }

  template <class Value>
  bool text_of_key(Value&& value, std::string_view what) {
    const auto& key = claim();
    if constexpr (std::is_same_v<std::decay_t<Value>, std::string>) {
      if (place() == Place::root && key == "id")
        request_.id = std::move(value);
      else if (place() == Place::input && key == "name")
        request_.inputs.back().name = std::move(value);
      else if (place() == Place::input && key == "datatype")
        request_.inputs.back().datatype = std::move(value);
      else if (place() == Place::output && key == "name")
        request_.outputs.back().name = std::move(value);
      else
        skip_or_refuse(what);
    } else {
      skip_or_refuse(what);
    }
    return true;
  }

  template <class Value>
  bool parameter(wire::Parameters& parameters, Value&& value) {
    auto& key = levels_.back().key;
    if (parameters.size() >= kJsonParameters) refuse("more than {} parameters", kJsonParameters);
    if (!parameters.emplace(key, wire::Parameter(std::forward<Value>(value))).second)
      refuse("the parameter '{}' is given twice", wire::printable(key));
    return true;
  }

  template <class Value>
  bool input_parameter(Value&& value, std::string_view what) {
    const auto& key = levels_.back().key;
    one_more(kJsonParameters, "parameters");
    if (key.starts_with("shared_memory"))
      throw Error(Code::unsupported, "shared memory is not offered: it would keep private tensors");
    if (key != "binary_data_size") return true;
    if constexpr (std::is_same_v<std::decay_t<Value>, std::int64_t>) {
      auto& size = request_.inputs.back().binary_size;
      if (size) refuse("'binary_data_size' is given twice");
      size = value;
      return true;
    }
    return wrong(what);
  }

  JsonRequest request_;
  std::vector<Level> levels_;
  std::size_t nested_ = 0;  // how many arrays of `data` are open
  std::size_t leaf_ = 0;    // at which of them the numbers are; 0: not known yet
};

}  // namespace

JsonRequest parse_json_request(std::string_view text) {
  Reader reader;
  Json::sax_parse(text.begin(), text.end(), &reader);
  return reader.take();
}

}  // namespace infoscissors::front
