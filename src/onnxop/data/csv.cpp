#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/nearest.h"
#include "onnxop/data/content_hash.h"
#include "onnxop/data/dataset.h"

namespace onnxop {
namespace {

struct CsvRow {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
};

/// Splits text into rows (RFC 4180): quoted cells may hold commas, line ends and doubled quotes.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) {
      at_ = kByteOrderMark.size();
    }
  }

  /// False at the end. Lines without a character are passed over.
  bool next(CsvRow& row) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
      end_line();
    }
    if (at_ >= text_.size()) {
      return false;
    }
    row = {line_, {}};
    while (true) {
      const bool quoted = at_ < text_.size() && text_[at_] == '"';
      row.cells.push_back(quoted ? quoted_cell() : plain_cell());
      if (at_ >= text_.size()) {
        return true;
      }
      if (text_[at_] != ',') {
        end_line();
        return true;
      }
      ++at_;
    }
  }

 private:
  std::string plain_cell() {
    const std::size_t from = at_;
    at_ = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    return std::string(text_.substr(from, at_ - from));
  }

  std::string quoted_cell() {
    std::string cell;
    const std::size_t began = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n') {
          fail(ErrorCode::kInvalidArgument,
               "{}:{}: '{}' behind a closing quote, expected a comma or the line's end",
               path_.string(), line_, text_[at_]);
        }
        return cell;
      }
      line_ += text_[at_] == '\n' ? 1 : 0;
      cell += text_[at_];
    }
    fail(ErrorCode::kInvalidArgument, "{}:{}: a quote is opened and never closed", path_.string(),
         began);
  }

  void end_line() {
    at_ += text_.substr(at_).starts_with("\r\n") ? 2 : 1;
    ++line_;
  }

  std::string_view text_;
  std::filesystem::path path_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

float parse_number(const std::string& cell, const std::filesystem::path& path, std::size_t line,
                   const std::string& column) {
  const std::size_t from = cell.find_first_not_of(" \t");
  const std::size_t to = cell.find_last_not_of(" \t");
  float value = 0;
  if (from != std::string::npos) {
    const char* end = cell.data() + to + 1;
    const auto [stopped, error] = std::from_chars(cell.data() + from, end, value);
    if (error == std::errc() && stopped == end && std::isfinite(value)) {
      return value;
    }
  }
  fail(ErrorCode::kInvalidArgument, "{}:{}: column '{}': '{}' is no finite number", path.string(),
       line, column, cell);
}

std::size_t find_column(const std::vector<std::string>& names, const std::string& wanted,
                        const std::filesystem::path& path) {
  const auto at = std::find(names.begin(), names.end(), wanted);
  if (std::count(names.begin(), names.end(), wanted) > 1) {
    fail(ErrorCode::kInvalidArgument, "{}:1: more than one column is called '{}'", path.string(),
         wanted);
  }
  if (at != names.end()) {
    return static_cast<std::size_t>(at - names.begin());
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto near = nearest_word(wanted, known);
  fail(ErrorCode::kInvalidArgument, "{}:1: there is no column '{}'{}; there are: {}", path.string(),
       wanted, near ? format(", did you mean '{}'?", *near) : std::string(), join(names, ", "));
}

struct CsvTable {
  std::vector<std::string> names;
  std::vector<std::size_t> targets;
  std::vector<float> features, values;
  std::vector<std::string> class_names;  // one a row
  std::int64_t rows = 0;
};

CsvTable read_table(const std::filesystem::path& path, const CsvOptions& options) {
  const std::string text = read_text_file(path);
  CsvReader reader(text, path);
  CsvTable table;
  CsvRow row;
  if (!reader.next(row)) {
    fail(ErrorCode::kInvalidArgument, "{}: empty, expected a line of column names", path.string());
  }
  table.names = row.cells;
  for (const auto& target : options.target_columns) {
    const std::size_t column = find_column(table.names, target, path);
    if (std::find(table.targets.begin(), table.targets.end(), column) != table.targets.end()) {
      fail(ErrorCode::kInvalidArgument, "{}: column '{}' is named as a target twice", path.string(),
           target);
    }
    table.targets.push_back(column);
  }
  while (reader.next(row)) {
    if (row.cells.size() != table.names.size()) {
      fail(ErrorCode::kInvalidArgument, "{}:{}: {} cells, expected {} as in the first line",
           path.string(), row.line, row.cells.size(), table.names.size());
    }
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const bool target =
          std::find(table.targets.begin(), table.targets.end(), i) != table.targets.end();
      if (!target) {
        table.features.push_back(parse_number(row.cells[i], path, row.line, table.names[i]));
      }
    }
    for (const std::size_t i : table.targets) {
      if (options.classification) {
        table.class_names.push_back(row.cells[i]);
      } else {
        table.values.push_back(parse_number(row.cells[i], path, row.line, table.names[i]));
      }
    }
    ++table.rows;
  }
  return table;
}

/// Numbers in their order, then other words in theirs.
std::vector<std::string> sorted_classes(const std::vector<std::string>& names) {
  const std::set<std::string> distinct(names.begin(), names.end());
  std::vector<std::string> sorted(distinct.begin(), distinct.end());
  const auto number = [](const std::string& name) {
    double value = 0;
    const auto [stopped, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    return error == std::errc() && stopped == name.data() + name.size() ? value : std::nan("");
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const std::string& a, const std::string& b) {
    const double x = number(a);
    const double y = number(b);
    return std::isnan(y) ? !std::isnan(x) : x < y;
  });
  return sorted;
}

}  // namespace

Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  if (options.target_columns.empty() ||
      (options.classification && options.target_columns.size() != 1)) {
    fail(ErrorCode::kInvalidArgument, "{}: {} target columns, expected {}", path.string(),
         options.target_columns.size(), options.classification ? "one" : "one or more");
  }
  const CsvTable table = read_table(path, options);
  const auto features = static_cast<std::int64_t>(table.names.size() - table.targets.size());
  if (table.rows == 0 || features == 0) {
    fail(ErrorCode::kInvalidArgument,
         "{}: {} rows of {} feature columns, expected one or more of each", path.string(),
         table.rows, features);
  }
  Dataset dataset;
  dataset.samples =
      Tensor::of<float>({table.rows, features}, std::span<const float>(table.features));
  if (options.classification) {
    dataset.labels = sorted_classes(table.class_names);
    for (const auto& name : table.class_names) {
      const auto at = std::find(dataset.labels.begin(), dataset.labels.end(), name);
      dataset.classes.push_back(static_cast<std::int32_t>(at - dataset.labels.begin()));
    }
  } else {
    dataset.values = Tensor::of<float>(
        {table.rows, static_cast<std::int64_t>(table.targets.size())}, table.values);
  }
  dataset.sha256 = content_sha256(dataset);
  return dataset;
}

}  // namespace onnxop
