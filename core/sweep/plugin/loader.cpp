#include "plugin/loader.h"

#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <dlfcn.h>
#include <elf.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::plugin {
namespace {

[[noreturn]] void refuse(const fs::path& library, std::string_view why) {
  throw Error(ErrorKind::input, fmt::format("plugin '{}': {}", library.string(), why));
}

// dlopen's own messages do not tell a text file from a missing dependency, and it crashes on a file that was cut short:
// the headers are read here first.
void check_is_shared_object(const fs::path& library) {
  std::error_code code;
  if (!fs::exists(library, code)) refuse(library, "no such file");
  if (!fs::is_regular_file(library, code)) refuse(library, "not a regular file");
  const MappedFile map(library);
  const std::span<const uint8_t> bytes = map.bytes();
  Elf64_Ehdr header{};
  if (bytes.size() < sizeof header) refuse(library, "not a shared object");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr))
    refuse(library, "not a shared object");
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const uint64_t at = header.e_phoff + i * sizeof segment;
    if (at < header.e_phoff || at > bytes.size() || bytes.size() - at < sizeof segment)
      refuse(library, "a shared object that was cut short");
    std::memcpy(&segment, bytes.data() + at, sizeof segment);
    if (segment.p_offset > bytes.size() || bytes.size() - segment.p_offset < segment.p_filesz)
      refuse(library, "a shared object that was cut short");
  }
}

void append(void* context, const char* text, size_t bytes) { static_cast<std::string*>(context)->append(text, bytes); }

// A table may come from code that does not use plugin.h, and throw where it must not.
template <class Call>
auto guard_call(const fs::path& library, const char* what, Call&& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw Error(ErrorKind::failed, fmt::format("plugin '{}': {} threw: {}", library.string(), what, error.what()));
  } catch (...) {
    throw Error(ErrorKind::failed, fmt::format("plugin '{}': {} threw", library.string(), what));
  }
}

const bitsweep_plugin_table* checked_table(const fs::path& library, const bitsweep_plugin_table* table,
                                           std::string_view build_id) {
  if (table == nullptr) refuse(library, "its entry point returned nothing");
  if (table->abi != BITSWEEP_PLUGIN_ABI)
    refuse(library, fmt::format("its plugin ABI is {}, this worker's is {}: rebuild the plugin", table->abi,
                                BITSWEEP_PLUGIN_ABI));
  if (table->size < sizeof(bitsweep_plugin_table))
    refuse(library, fmt::format("its table has {} bytes, at least {} are needed: rebuild the plugin", table->size,
                                sizeof(bitsweep_plugin_table)));
  if (table->name == nullptr || table->build_id == nullptr || table->describe == nullptr || table->create == nullptr ||
      table->destroy == nullptr)
    refuse(library, "its table has empty entries");
  if (table->build_id != build_id)
    refuse(library,
           fmt::format("it was built as [{}], this worker as [{}]: rebuild the plugin", table->build_id, build_id));
  return table;
}

}  // namespace

Plugin Plugin::load(const fs::path& library, std::string_view build_id) {
  check_is_shared_object(library);
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    throw Error(ErrorKind::environment,
                fmt::format("plugin '{}': cannot be loaded: {}", library.string(), ::dlerror()));
  void* entry = ::dlsym(handle, BITSWEEP_PLUGIN_ENTRY);
  if (entry == nullptr) refuse(library, fmt::format("no plugin: it exports no symbol '{}'", BITSWEEP_PLUGIN_ENTRY));
  const auto function = reinterpret_cast<decltype(&bitsweep_plugin_entry)>(entry);
  const auto* table = guard_call(library, "its entry point", [&] { return function(); });
  return Plugin(library, checked_table(library, table, build_id));
}

Description Plugin::describe(const DescribeRequest& request) const {
  const std::string text = json::serialize(to_json(request));
  std::string answer;
  const int code = guard_call(library_, "describe", [&] { return table_->describe(text.c_str(), append, &answer); });
  if (code != 0)
    throw Error(code == 2 ? ErrorKind::input : ErrorKind::failed, fmt::format("plugin '{}': {}", name(), answer));
  const std::optional<json::value> value = try_parse_json(answer);
  if (!value || !value->is_object())
    throw Error(ErrorKind::failed, fmt::format("plugin '{}': describe answered no JSON object", name()));
  try {
    return description_from_json(value->get_object());
  } catch (const Error& error) {
    throw Error(ErrorKind::failed, fmt::format("plugin '{}': describe answered: {}", name(), error.what()));
  }
}

OwnedModel Plugin::create(const DescribeRequest& resolved) const {
  const std::string text = json::serialize(to_json(resolved));
  std::string message;
  void* model = guard_call(library_, "create", [&] { return table_->create(text.c_str(), append, &message); });
  if (model == nullptr)
    throw Error(ErrorKind::failed, fmt::format("plugin '{}': {}", name(), message.empty() ? "no model" : message));
  return OwnedModel(static_cast<nn::Model*>(model), table_->destroy);
}

fs::path plugin_library(std::string_view name_or_path, const fs::path& plugin_dir) {
  if (name_or_path.find('/') != std::string_view::npos) {
    const fs::path path(name_or_path);
    if (!path.is_absolute()) refuse(path, "give a plugin's name, or the absolute path of a .so");
    return path;
  }
  const std::string name(name_or_path);
  const fs::path library = plugin_dir / name / (name + ".so");
  std::error_code code;
  if (!name.empty() && fs::exists(library, code)) return library;
  std::vector<std::string> known;
  for (fs::directory_iterator it(plugin_dir, code), end; !code && it != end; it.increment(code))
    if (fs::exists(it->path() / (it->path().filename().string() + ".so")))
      known.push_back(it->path().filename().string());
  throw Error(ErrorKind::input,
              fmt::format("no plugin '{}' in '{}'{}", name, plugin_dir.string(), did_you_mean(name, known)));
}

Plugin load_plugin(std::string_view name_or_path, const fs::path& plugin_dir, std::string_view build_id) {
  Plugin plugin = Plugin::load(plugin_library(name_or_path, plugin_dir), build_id);
  const bool by_name = name_or_path.find('/') == std::string_view::npos;
  if (by_name && plugin.name() != name_or_path)
    refuse(plugin.library(), fmt::format("it calls itself '{}', not '{}'", plugin.name(), name_or_path));
  return plugin;
}

}  // namespace bitsweep::plugin
