// One JSON object of a question file as an Item, by the names that question sets give their parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tasks/findings.h"
#include "tasks/item.h"

namespace bitsweep::tasks {

// Where an object stands, for messages: a line, or the number of the item.
struct ItemPlace {
  int64_t line = 0;
  int64_t number = 1;
  std::string words() const;  // "" of a line, else "item 3: "
};

// Nothing, and a finding, when the object is no question of this kind. `form` becomes the keys by which it was known.
std::optional<Item> item_of(const json::object& object, std::string_view kind, const ItemPlace& place,
                            Findings& findings, std::string& form);

// Adds the names of Item::fields: prompt and its parts.
void name_parts(Item& item, std::string_view question, std::string_view context, bool plain_prompt);

}  // namespace bitsweep::tasks
