#include "worker/loaded_code.h"

#include <string_view>

#include <link.h>

#include <fmt/format.h>

#include "plugin/fingerprint.h"
#include "plugin/manifest.h"

namespace bitsweep::worker {
namespace {

// dl_iterate_phdr's callback: stops at the library of blocks, and puts its path into `out`.
int find_nn(dl_phdr_info* info, size_t, void* out) {
  const std::string_view path = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  if (path.substr(path.rfind('/') + 1) != "libbitsweep_nn.so") return 0;
  *static_cast<std::string*>(out) = path;
  return 1;
}

}  // namespace

const std::string& loaded_nn_fingerprint() {
  static const std::string fingerprint = [] {
    std::string path;
    ::dl_iterate_phdr(find_nn, &path);
    return plugin::code_fingerprint(path);
  }();
  return fingerprint;
}

CodeBuild loaded_code(const plugin::Plugin& plugin) {
  return {plugin::code_fingerprint(plugin.library()), loaded_nn_fingerprint()};
}

int64_t plugin_version(const fs::path& library) {
  const fs::path manifest = library.parent_path() / "plugin.yaml";
  std::error_code code;
  if (!fs::exists(manifest, code)) return 0;
  return plugin::read_manifest(manifest).version;
}

void check_version(const plugin::Plugin& plugin, const spec::ModelSpec& planned) {
  const int64_t version = plugin_version(plugin.library());
  if (version == 0 || version == planned.version) return;
  throw Error(ErrorKind::input,
              fmt::format("the plugin '{}' is at version {} now, and this run was planned for version {}: submit its "
                          "sweep again, which plans it anew",
                          plugin.name(), version, planned.version));
}

}  // namespace bitsweep::worker
