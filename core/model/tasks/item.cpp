#include "tasks/item.h"

#include <algorithm>

namespace bitsweep::tasks {

const std::string& Item::right_answer() const {
  static const std::string kNone;
  if (!choices.empty()) return choices[gold];
  return answers.empty() ? kNone : answers[0];
}

std::vector<std::string> ItemSet::field_names() const {
  std::vector<std::string> names;
  if (items.empty()) return names;
  for (const auto& field : items[0].fields)
    if (std::all_of(items.begin(), items.end(), [&](const Item& item) { return item.fields.contains(field.first); }))
      names.push_back(field.first);
  return names;
}

}  // namespace bitsweep::tasks
