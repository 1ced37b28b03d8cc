#include "infoscissors/study/row.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace infoscissors::study {
namespace {

using base::Error;
using base::Json;

// A column of the long table: its cell as JSON, which says the type, and back from text.
struct Column {
  const char* name;
  Json (*get)(const Row&);
  void (*set)(Row&, const std::string&);
};

template <class Number>
Number number(const std::string& text, const char* wanted) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) throw Error("must be {}, got '{}'", wanted, text);
  return value;
}

double real(const std::string& text) {
  return text.empty() ? kNone : number<double>(text, "a number");
}

std::uint64_t natural(const std::string& text) {
  return number<std::uint64_t>(text, "a whole number >= 0");
}

#define INFOSCISSORS_TEXT(NAME, MEMBER)                              \
  Column {                                                           \
    NAME, [](const Row& row) { return Json(row.MEMBER); },           \
        [](Row& row, const std::string& text) { row.MEMBER = text; } \
  }
#define INFOSCISSORS_REAL(NAME, MEMBER)                                    \
  Column {                                                                 \
    NAME, [](const Row& row) { return base::real(row.MEMBER); },           \
        [](Row& row, const std::string& text) { row.MEMBER = real(text); } \
  }

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      INFOSCISSORS_TEXT("run", run),
      INFOSCISSORS_TEXT("dataset", labels.dataset),
      INFOSCISSORS_TEXT("backbone", labels.backbone),
      INFOSCISSORS_REAL("width", labels.width),
      INFOSCISSORS_TEXT("cut", labels.cut),
      INFOSCISSORS_TEXT("defense", labels.defense),
      INFOSCISSORS_TEXT("spec", spec),
      INFOSCISSORS_REAL("strength", labels.strength),
      {"seed", [](const Row& row) { return Json(row.labels.seed); },
       [](Row& row, const std::string& text) { row.labels.seed = natural(text); }},
      INFOSCISSORS_TEXT("status", status),
      INFOSCISSORS_TEXT("attack", attack),
      {"attack_seed", [](const Row& row) { return row.attack_seed ? Json(*row.attack_seed) : Json(nullptr); },
       [](Row& row, const std::string& text) {
         if (!text.empty()) row.attack_seed = natural(text);
       }},
      INFOSCISSORS_TEXT("goal", goal),
      INFOSCISSORS_TEXT("view", view),
      INFOSCISSORS_REAL("budget", budget),
      INFOSCISSORS_TEXT("decoder", decoder),
      INFOSCISSORS_TEXT("metric", metric),
      INFOSCISSORS_REAL("value", value),
      INFOSCISSORS_TEXT("commit", commit),
      INFOSCISSORS_TEXT("version", version),
  };
  return kColumns;
}

#undef INFOSCISSORS_TEXT
#undef INFOSCISSORS_REAL

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

// One record of a CSV text, from `at` on; quoted cells may hold line breaks.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool done() const { return at_ >= text_.size(); }
  std::int64_t line() const { return line_; }

  std::vector<std::string> record() {
    std::vector<std::string> cells(1);
    bool inside = false;
    const auto begin = line_;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (inside) {
        if (c != '"') {
          cells.back() += c;
        } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          cells.back() += text_[++at_];
        } else {
          inside = false;
        }
      } else if (c == '"') {
        inside = true;
      } else if (c == ',') {
        cells.emplace_back();
      } else if (c == '\n') {
        ++at_;
        return cells;
      } else if (c != '\r') {
        cells.back() += c;
      }
    }
    if (inside) throw Error("{}:{}: a quotation mark is not closed", file_, begin);
    return cells;
  }

 private:
  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

Row run_row(const results::RunRecord& record, const Labels& labels) {
  Row row;
  row.run = record.config_hash;
  row.labels = labels;
  row.spec = record.defense;
  row.status = record.status;
  row.commit = record.commit;
  row.version = record.version;
  return row;
}

void add(std::vector<Row>& rows, Row row, const std::string& metric, double value) {
  row.metric = metric;
  row.value = value;
  rows.push_back(std::move(row));
}

}  // namespace

std::vector<Row> rows_of(const results::RunRecord& record, const Labels& labels,
                         const std::optional<results::Certificates>& certificates, const Json& information) {
  std::vector<Row> rows;
  const Row common = run_row(record, labels);
  for (const auto& [metric, value] : record.measures) add(rows, common, metric, value);
  if (record.trained) add(rows, common, "train_seconds", record.train_seconds);
  for (const auto& attack : record.attacks) {
    Row row = common;
    row.attack = attack.spec;
    row.attack_seed = attack.seed;
    row.goal = attack.goal;
    row.view = attack.view;
    row.budget = budget_of(attack.spec);
    row.decoder = decoder_of(attack.spec);
    for (const auto& [metric, value] : attack.measures) add(rows, row, metric, value);
    add(rows, row, "seconds", attack.seconds);
  }
  if (information.is_object() && information.contains("estimates") && information.at("estimates").is_array()) {
    for (const auto& one : information.at("estimates")) {
      if (!one.is_object() || !one.contains("value") || !one.at("value").is_number()) continue;
      add(rows, common, one.value("quantity", "I") + " " + one.value("estimator", ""), one.at("value").get<double>());
    }
  }
  if (certificates) {
    for (const auto& one : certificates->list) add(rows, common, "certificate " + one.name, one.value);
  }
  return rows;
}

std::string csv_cell(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? quoted(value.get<std::string>()) : value.dump();
}

std::string to_csv(const std::vector<Row>& rows) {
  std::string text;
  for (const auto& column : columns()) text += fmt::format("{}{}", text.empty() ? "" : ",", column.name);
  text += '\n';
  for (const auto& row : rows) {
    bool first = true;
    for (const auto& column : columns()) {
      if (!first) text += ',';
      first = false;
      text += csv_cell(column.get(row));
    }
    text += '\n';
  }
  return text;
}

Json to_json(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const auto& row : rows) {
    Json object = Json::object();
    for (const auto& column : columns()) {
      const Json value = column.get(row);
      object[column.name] = value.is_string() && value.get_ref<const std::string&>().empty() ? Json(nullptr) : value;
    }
    list.push_back(std::move(object));
  }
  return list;
}

std::vector<Row> from_csv(std::string_view text, const std::string& file) {
  CsvReader reader(text, file);
  const auto head = reader.record();
  std::vector<const Column*> order(head.size(), nullptr);
  for (const auto& column : columns()) {
    const auto found = std::find(head.begin(), head.end(), column.name);
    if (found == head.end()) throw Error("{}: is no long table: it has no column '{}'", file, column.name);
    order[static_cast<std::size_t>(found - head.begin())] = &column;
  }
  std::vector<Row> rows;
  while (!reader.done()) {
    const auto line = reader.line();
    const auto cells = reader.record();
    if (cells.size() == 1 && cells.front().empty()) continue;
    if (cells.size() != head.size())
      throw Error("{}:{}: has {} cells, but the header names {} columns", file, line, cells.size(), head.size());
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (order[i] == nullptr) continue;
      try {
        order[i]->set(row, cells[i]);
      } catch (const Error& error) {
        throw Error("{}:{}: column '{}' {}", file, line, order[i]->name, error.what());
      }
    }
  }
  return rows;
}

}  // namespace infoscissors::study
