// Whether a text is a well-formed XML element, as far as figures need it: matched tags, quoted attributes, escaped
// text.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace bitsweep::render {

// "" when it is, else what is wrong.
inline std::string xml_problem(const std::string& text) {
  std::vector<std::string> open;
  std::set<std::string> ids;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '<') {
      if (text[at] == '&') {
        const size_t end = text.find(';', at);
        const std::string name = text.substr(at + 1, end - at - 1);
        if (end == std::string::npos ||
            !(name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "#39"))
          return "a bare & at " + std::to_string(at);
      }
      if (static_cast<unsigned char>(text[at]) < 0x20 && text[at] != '\n') return "a control character";
      if (open.empty() && text[at] != '\n') return "text outside of the root";
      ++at;
      continue;
    }
    const size_t end = text.find('>', at);
    if (end == std::string::npos) return "a tag that does not end";
    std::string tag = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return "unexpected </" + tag.substr(1) + ">";
      open.pop_back();
      continue;
    }
    const bool closed = tag.back() == '/';
    if (closed) tag.pop_back();
    const size_t name_end = std::min(tag.find_first_of(" \n"), tag.size());
    const std::string name = tag.substr(0, name_end);
    std::set<std::string> attributes;
    for (size_t a = name_end; (a = tag.find_first_not_of(" \n", a)) != std::string::npos;) {
      const size_t equals = tag.find('=', a);
      if (equals == std::string::npos || tag[equals + 1] != '"') return "an unquoted attribute in <" + tag + ">";
      const size_t quote = tag.find('"', equals + 2);
      if (quote == std::string::npos) return "an open quote in <" + tag + ">";
      const std::string key = tag.substr(a, equals - a), value = tag.substr(equals + 2, quote - equals - 2);
      if (!attributes.insert(key).second) return "attribute '" + key + "' twice";
      if (value.find('<') != std::string::npos) return "'<' in an attribute";
      if (key == "id" && !ids.insert(value).second) return "id '" + value + "' twice";
      a = quote + 1;
    }
    if (!closed) open.push_back(name);
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

}  // namespace bitsweep::render
