#include "base/yaml.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.h"

namespace bitsweep {
namespace {

using File = std::shared_ptr<const std::string>;

[[noreturn]] void fail(const YamlPlace& place, std::string message) {
  throw Error(ErrorKind::input, {place.diagnostic(std::move(message))});
}

// ---- What yaml-cpp would misread or not notice is refused before it sees it. ----

void check_characters(std::string_view text, const File& file) {
  int line = 1;
  size_t line_start = 0;
  bool indentation = true;
  size_t tab = std::string_view::npos;  // in the indentation of this line
  for (size_t at = 0; at < text.size();) {
    const auto place = [&](size_t where) { return YamlPlace{file, line, static_cast<int>(where - line_start) + 1}; };
    const char c = text[at];
    if (c == '\n') {
      ++line;
      line_start = ++at;
      indentation = true;
      tab = std::string_view::npos;
      continue;
    }
    if (c == '\0') fail(place(at), "a NUL byte: this is not a text file");
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r')
      fail(place(at), fmt::format("a control character (0x{:02x}): this is not a text file", static_cast<unsigned>(c)));
    if (indentation && c == '\t' && tab == std::string_view::npos) tab = at;
    if (indentation && c != ' ' && c != '\t') {
      indentation = false;
      if (tab != std::string_view::npos && c != '#' && c != '\r')
        fail(place(tab), "a tab cannot indent YAML; use spaces");
    }
    const size_t length = utf8_length(text, at);
    if (length == 0) fail(place(at), "not UTF-8 text");
    at += length;
  }
}

// ---- Events of yaml-cpp to nodes. ----

// Thrown through yaml-cpp out of an event handler.
struct Stop {
  YamlPlace place;
  std::string message;
};

bool is_null_text(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, File file, const YamlLimits& limits)
      : text_(text), file_(std::move(file)), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(mark, "a second document; a sweep file is one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(leaf(YamlKind::null, mark), anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    // An anchor is known only after its node is complete, so a node cannot contain itself.
    if (found == anchors_.end()) stop(mark, "an alias inside its own anchor");
    add_shared(found->second, place(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const std::string_view type = scalar_type(tag);
    if (type.empty()) check_tag(mark, tag);
    auto node = leaf(YamlKind::scalar, mark);
    node->text = value;
    node->is_text = tag == "!" || tag == kTextTag;
    node->style = style_at(mark, node->is_text);
    if (node->style == YamlStyle::quoted && !is_closed(static_cast<size_t>(mark.pos)))
      stop(mark, "this quote is not closed");
    if (!type.empty()) check_type(mark, type, *node);
    if (!node->is_text && is_null_text(value)) node->kind = YamlKind::null;
    add(node, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlKind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlKind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  Yaml root() const { return root_; }
  const File& file() const { return file_; }
  YamlPlace place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

 private:
  static constexpr const char* kTextTag = "tag:yaml.org,2002:str";

  struct Level {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor;
    Yaml key;  // of a map: read, its value not yet
    std::vector<std::pair<YamlPlace, Yaml>> merges;
    std::unordered_map<std::string_view, size_t> known;  // keys into node->entries; views of the nodes in `keys`
    std::vector<Yaml> keys;
  };

  [[noreturn]] void stop(const YAML::Mark& mark, std::string message) const {
    throw Stop{place(mark), std::move(message)};
  }

  std::shared_ptr<YamlNode> leaf(YamlKind kind, const YAML::Mark& mark) {
    if (++nodes_ > limits_.nodes) stop(mark, fmt::format("more than {} values; a sweep file is small", limits_.nodes));
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->place = place(mark);
    return node;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != kTextTag)
      stop(mark, fmt::format("the tag '{}' is not known here; write the value without it", tag));
  }

  // "float" of !!float: what a scalar's tag says it is; "" for a tag that says nothing, or something else.
  static std::string_view scalar_type(std::string_view tag) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (!tag.starts_with(kCore)) return {};
    tag.remove_prefix(kCore.size());
    return tag == "float" || tag == "int" || tag == "bool" || tag == "null" ? tag : std::string_view();
  }

  // A scalar reads as what its tag says, or is refused; quoted or not.
  void check_type(const YAML::Mark& mark, std::string_view type, const YamlNode& node) const {
    const bool fits = type == "float"  ? yaml_number(node).has_value()
                      : type == "int"  ? yaml_integer(node).has_value()
                      : type == "bool" ? yaml_bool(node).has_value()
                                       : is_null_text(node.text);
    if (!fits) stop(mark, fmt::format("'{}' is not what its tag !!{} says; write it without the tag", node.text, type));
  }

  YamlStyle style_at(const YAML::Mark& mark, bool is_text) const {
    const size_t at = mark.pos < 0 ? text_.size() : static_cast<size_t>(mark.pos);
    const char c = at < text_.size() ? text_[at] : '\0';
    if (c == '"' || c == '\'') return YamlStyle::quoted;
    return is_text || c == '&' || c == '!' ? YamlStyle::block : YamlStyle::plain;
  }

  // yaml-cpp takes the end of the file for the end of a quoted text.
  bool is_closed(size_t opened) const {
    const char quote = text_[opened];
    for (size_t at = opened + 1; at < text_.size(); ++at) {
      if (quote == '"' && text_[at] == '\\')
        ++at;
      else if (text_[at] == quote && (quote == '"' || at + 1 == text_.size() || text_[at + 1] != quote))
        return true;
      else if (text_[at] == quote)
        ++at;
    }
    return false;
  }

  void open(YamlKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(mark, tag);
    if (static_cast<int>(levels_.size()) >= limits_.depth)
      stop(mark, fmt::format("nested more than {} deep", limits_.depth));
    levels_.push_back({leaf(kind, mark), anchor, nullptr, {}, {}, {}});
  }

  void close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    merge(level);
    add(level.node, level.anchor);
  }

  void add(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    add_shared(node, node->place);
  }

  void add_shared(const Yaml& node, const YamlPlace& place) {
    if (levels_.empty()) {
      root_ = node;
      return;
    }
    Level& level = levels_.back();
    if (level.node->kind == YamlKind::list) {
      level.node->items.push_back(node);
      grow(level, *node, place);
    } else if (level.key == nullptr) {
      if (node->kind == YamlKind::list || node->kind == YamlKind::map) throw Stop{place, "a key must be a word"};
      level.key = node;
    } else {
      grow(level, *node, place);
      add_entry(level, std::exchange(level.key, nullptr), node, place);
    }
  }

  void add_entry(Level& level, const Yaml& key, const Yaml& value, const YamlPlace& place) {
    if (key->text == "<<" && !key->is_text) {
      level.merges.emplace_back(place, value);
      return;
    }
    const auto [known, fresh] = level.known.emplace(key->text, level.node->entries.size());
    if (!fresh) {
      const YamlPlace& first = level.node->entries[known->second].key_place;
      throw Stop{key->place, fmt::format("duplicate key '{}'; first given in line {}", key->text, first.line)};
    }
    level.keys.push_back(key);
    level.node->entries.push_back({key->text, key->place, value});
  }

  // What a map takes in by <<: its own keys win, then the earlier of several sources.
  void merge(Level& level) {
    for (const auto& [where, source] : level.merges) {
      const bool many = source->kind == YamlKind::list;
      for (const Yaml& one : many ? source->items : std::vector<Yaml>{source}) {
        if (one->kind != YamlKind::map) throw Stop{where, "'<<' takes a map or a list of maps"};
        for (const YamlEntry& entry : one->entries) {
          if (!level.known.emplace(entry.key, level.node->entries.size()).second) continue;
          level.node->entries.push_back(entry);
        }
      }
    }
  }

  void grow(Level& level, const YamlNode& node, const YamlPlace& place) const {
    level.node->expanded_nodes += node.expanded_nodes;
    if (level.node->expanded_nodes > limits_.nodes)
      throw Stop{place, fmt::format("with its aliases written out this holds more than {} values", limits_.nodes)};
  }

  std::string_view text_;
  File file_;
  YamlLimits limits_;
  int documents_ = 0;
  size_t nodes_ = 0;
  Yaml root_;
  std::vector<Level> levels_;
  std::unordered_map<YAML::anchor_t, Yaml> anchors_;
};

std::string_view without_bom(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text; }

}  // namespace

// ---- Places and nodes. ----

Diagnostic YamlPlace::diagnostic(std::string message) const {
  return {file == nullptr ? "" : *file, line, column, std::move(message)};
}

std::string YamlPlace::to_string() const {
  if (file == nullptr) return "";
  return line > 0 ? fmt::format("{}:{}:{}", *file, line, column) : *file;
}

const YamlEntry* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

YamlPlace YamlNode::place_in_text(size_t offset) const {
  // Escapes and folded lines break the match between the text and the file; then the start has to do.
  const std::string_view before = std::string_view(text).substr(0, std::min(offset, text.size()));
  const bool direct =
      place.line > 0 && style != YamlStyle::block && before.find_first_of("\n\\\"'") == std::string_view::npos;
  if (!direct) return place;
  return {place.file, place.line,
          place.column + static_cast<int>(before.size()) + (style == YamlStyle::quoted ? 1 : 0)};
}

Yaml parse_yaml(std::string_view raw, std::string_view name, const YamlLimits& limits) {
  const auto file = std::make_shared<const std::string>(name);
  const std::string_view text = without_bom(raw);
  if (text.size() > limits.bytes)
    fail({file, 0, 0}, fmt::format("larger than the {} bytes a YAML file may have here", limits.bytes));
  check_characters(text, file);
  std::istringstream stream{std::string(text)};
  Builder builder(text, file, limits);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    fail(stop.place, stop.message);
  } catch (const YAML::Exception& error) {
    fail(error.mark.is_null() ? YamlPlace{file, 0, 0} : builder.place(error.mark), "not YAML: " + error.msg);
  }
  if (builder.root() != nullptr) return builder.root();
  auto nothing = std::make_shared<YamlNode>();
  nothing->place = {file, 1, 1};
  return nothing;
}

Yaml read_yaml(const fs::path& path, const YamlLimits& limits) {
  // 4 more: a byte order mark does not count.
  return parse_yaml(read_file(path, limits.bytes + 4), path.string(), limits);
}

Yaml yaml_scalar(std::string text, YamlPlace place, bool is_text) {
  auto node = std::make_shared<YamlNode>();
  node->kind = !is_text && is_null_text(text) ? YamlKind::null : YamlKind::scalar;
  node->is_text = is_text;
  node->text = std::move(text);
  node->place = std::move(place);
  return node;
}

Yaml yaml_map(std::vector<YamlEntry> entries, YamlPlace place) {
  auto node = std::make_shared<YamlNode>();
  node->kind = YamlKind::map;
  for (const YamlEntry& entry : entries) node->expanded_nodes += entry.value->expanded_nodes;
  node->entries = std::move(entries);
  node->place = std::move(place);
  return node;
}

Yaml yaml_list(std::vector<Yaml> items, YamlPlace place) {
  auto node = std::make_shared<YamlNode>();
  node->kind = YamlKind::list;
  for (const Yaml& item : items) node->expanded_nodes += item->expanded_nodes;
  node->items = std::move(items);
  node->place = std::move(place);
  return node;
}

}  // namespace bitsweep
