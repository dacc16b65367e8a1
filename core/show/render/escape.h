// Text made safe for where it goes: Markdown, HTML and SVG, terminals. Input is whatever a user named things; bytes
// that are not UTF-8 become U+FFFD, control characters go.
#pragma once

#include <string>
#include <string_view>

namespace bitsweep::render {

// Valid UTF-8 without control characters (tab and newline become a blank).
std::string clean_text(std::string_view text);

// For element content and for attributes in double quotes; also valid in XML.
std::string escape_html(std::string_view text);
// So that GitHub shows exactly this text: markup characters are escaped where they would act.
std::string escape_markdown(std::string_view text);
// A code span that holds any text, backticks and '|' (inside a table) included.
std::string markdown_code(std::string_view text);

}  // namespace bitsweep::render
