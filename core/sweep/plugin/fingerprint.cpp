#include "plugin/fingerprint.h"

#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <elf.h>

#include "base/error.h"
#include "base/sha256.h"

namespace bitsweep::plugin {
namespace {

constexpr size_t kDigits = 16;

using Bytes = std::span<const uint8_t>;

// A value of the file at `offset`; nothing beyond its end.
template <class T>
std::optional<T> read_at(Bytes bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::optional<Bytes> content_of(Bytes bytes, const Elf64_Shdr& section) {
  if (section.sh_offset > bytes.size() || bytes.size() - section.sh_offset < section.sh_size) return std::nullopt;
  return bytes.subspan(section.sh_offset, section.sh_size);
}

// The text that ends with a NUL at `offset` of a string table; "" beyond its end.
std::string_view text_at(Bytes table, uint64_t offset) {
  if (offset >= table.size()) return {};
  const auto* begin = reinterpret_cast<const char*>(table.data()) + offset;
  const void* end = std::memchr(begin, '\0', table.size() - offset);
  return end == nullptr ? std::string_view() : std::string_view(begin, static_cast<const char*>(end));
}

// By name and kind, because the table of names also holds the search path of the library.
bool hash_symbols(Bytes bytes, const std::vector<Elf64_Shdr>& sections, const Elf64_Shdr& symbols, Sha256& hash) {
  if (symbols.sh_link >= sections.size()) return false;
  const auto names = content_of(bytes, sections[symbols.sh_link]);
  if (!names) return false;
  for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.sh_size; at += sizeof(Elf64_Sym)) {
    const auto symbol = read_at<Elf64_Sym>(bytes, symbols.sh_offset + at);
    if (!symbol) return false;
    hash.update(text_at(*names, symbol->st_name));
    const uint8_t kind[] = {symbol->st_info, symbol->st_other, symbol->st_shndx != SHN_UNDEF};
    hash.update(kind, sizeof kind);
  }
  return true;
}

// What of a section is code: what is loaded, apart from notes (the build id), tables for looking up and search paths.
bool is_code(const Elf64_Shdr& section) {
  if ((section.sh_flags & SHF_ALLOC) == 0) return false;
  switch (section.sh_type) {
    case SHT_PROGBITS:
    case SHT_INIT_ARRAY:
    case SHT_FINI_ARRAY:
    case SHT_RELA:
    case SHT_DYNSYM:
      return true;
    default:
      return false;
  }
}

std::vector<Elf64_Shdr> sections_of(Bytes bytes) {
  std::vector<Elf64_Shdr> sections;
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_shentsize != sizeof(Elf64_Shdr))
    return sections;
  for (uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto section = read_at<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return {};
    sections.push_back(*section);
  }
  return sections;
}

bool hash_code(Bytes bytes, Sha256& hash) {
  const std::vector<Elf64_Shdr> sections = sections_of(bytes);
  bool any = false;
  for (const Elf64_Shdr& section : sections) {
    if (!is_code(section)) continue;
    const auto content = content_of(bytes, section);
    if (!content) return false;
    any = true;
    if (section.sh_type == SHT_DYNSYM) {
      if (!hash_symbols(bytes, sections, section, hash)) return false;
    } else {
      hash.update(content->data(), content->size());
    }
  }
  return any;
}

}  // namespace

std::string code_fingerprint(const fs::path& library) {
  std::error_code code;
  if (!fs::is_regular_file(library, code)) return "";
  try {
    const MappedFile map(library);
    const Bytes bytes = map.bytes();
    Sha256 hash;
    if (hash_code(bytes, hash)) return hash.hex().substr(0, kDigits);
    Sha256 whole;
    whole.update(bytes.data(), bytes.size());
    return whole.hex().substr(0, kDigits);
  } catch (const Error&) {
    return "";
  }
}

fs::path nn_library(const fs::path& programs) {
  constexpr const char* kName = "libbitsweep_nn.so";
  const fs::path beside = programs.parent_path();
  std::error_code code;
  for (const fs::path& folder : {beside / "lib", beside / "lib" / "bitsweep", programs})
    if (fs::exists(folder / kName, code)) return folder / kName;
  return {};
}

}  // namespace bitsweep::plugin
