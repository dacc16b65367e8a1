// One JSON object of a question file as an Item, by the names that question sets give their parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// How an object was read.
struct KnownForm {
  std::string keys;             // by which it was known: "query, choices, gold"
  bool digits_as_text = false;  // the right choice is given as a text of digits: one choice's text, another's number
};

// Keys under which a file may have the right answers of this kind.
const std::vector<std::string>& answer_names(std::string_view kind);

// Nothing, and a finding, when the object is no question of this kind.
std::optional<Item> item_of(const json::object& object, std::string_view kind, const ItemPlace& place,
                            Findings& findings, KnownForm& form);

// Adds the names of Item::fields: prompt and its parts.
void name_parts(Item& item, std::string_view question, std::string_view context, bool plain_prompt);

}  // namespace bitsweep::tasks
