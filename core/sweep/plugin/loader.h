// Opens a plugin's shared object and calls it safely: every table is checked before use, every failure is an Error that
// names the file. What cannot be made safe in-process (a plugin that crashes) is why only `bitsweep-worker` loads any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/files.h"
#include "plugin/abi.h"
#include "plugin/describe.h"

namespace bitsweep::nn {
class Model;
}

namespace bitsweep::plugin {

// A model and the function of its plugin that ends it.
using OwnedModel = std::unique_ptr<nn::Model, void (*)(void*)>;

// A loaded plugin. A value: it is never unloaded, because LibTorch keeps pointers into what it has seen.
class Plugin {
 public:
  // Loads `library`. `build_id` is the caller's own BITSWEEP_BUILD_ID. Throws Error{input} when the file is missing, no
  // shared object, no plugin, of another ABI or build, or its table is shorter than this ABI's; Error{environment} when
  // a library that it needs is missing.
  static Plugin load(const fs::path& library, std::string_view build_id);

  const fs::path& library() const { return library_; }
  std::string name() const { return table_->name; }

  // Throws Error{input} with the plugin's message when it refuses the options, Error{failed} when it fails otherwise or
  // its answer is no description.
  Description describe(const DescribeRequest& request) const;

  // `resolved.options` are those of a description. The caller has seeded the default generator. Throws Error{failed}.
  OwnedModel create(const DescribeRequest& resolved) const;

 private:
  Plugin(fs::path library, const bitsweep_plugin_table* table) : library_(std::move(library)), table_(table) {}
  fs::path library_;
  const bitsweep_plugin_table* table_;
};

// The library of a plugin given by name (DIR/NAME/NAME.so) or by the absolute path of a .so. Throws Error{input} with
// the nearest name when there is none.
fs::path plugin_library(std::string_view name_or_path, const fs::path& plugin_dir);

// plugin_library() and load(); a plugin found by name must also call itself so.
Plugin load_plugin(std::string_view name_or_path, const fs::path& plugin_dir, std::string_view build_id);

}  // namespace bitsweep::plugin
