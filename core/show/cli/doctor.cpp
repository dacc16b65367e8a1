// `bitsweep doctor`: what this machine has of what bitsweep needs, each line with what mends it.
#include <fstream>
#include <thread>

#include <sys/utsname.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"
#include "cli/options.h"
#include "coordinate/machine_memory.h"
#include "execute/capture.h"
#include "plugin/manifest.h"
#include "prepare/programs.h"
#include "store/store.h"

namespace bitsweep::cli {
namespace {

struct Finding {
  std::string what;
  bool ok;
  std::string detail;
  std::string mend;  // what to do when it is not ok
};

std::string cpu_line(const char* key) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

Finding cpu() {
  const std::string flags = " " + cpu_line("flags") + " ";
  std::string have;
  for (const char* feature :
       {"avx2", "fma", "avx512f", "avx512_vpopcntdq", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"})
    if (flags.find(fmt::format(" {} ", feature)) != std::string::npos) have += fmt::format(" {}", feature);
  return {"processor", true,
          fmt::format("{}, {} cores,{}", cpu_line("model name"), std::thread::hardware_concurrency(),
                      have.empty() ? " no AVX2" : have),
          ""};
}

Finding memory() {
  const auto bytes = static_cast<double>(coordinate::cpu_memory_bytes());
  return {"memory", bytes > 2e9, format_bytes(bytes), "LibTorch and a small model need about 1 GB a run"};
}

Finding disk(const fs::path& root) {
  const auto bytes = static_cast<double>(free_bytes(root));
  return {"disk", bytes > 1e9, fmt::format("{} free for {}", format_bytes(bytes), root.string()),
          "free some space, or name another folder with --root"};
}

Finding worker() {
  try {
    const execute::Captured answer = execute::capture({prepare::worker_program().string(), "--version"}, "", 30);
    if (answer.ok()) return {"worker", true, answer.out.substr(0, answer.out.find('\n')), ""};
    return {"worker", false, answer.ending() + ": " + answer.err, "rebuild with ./quickstart"};
  } catch (const Error& error) {
    return {"worker", false, error.what(), "build it with ./quickstart"};
  }
}

Finding gpu() {
  if (!fs::exists("/proc/driver/nvidia/version"))
    return {"GPU", true, "no NVIDIA driver: runs go to the processor", ""};
  const auto bytes = coordinate::gpu_memory_bytes();
  if (!bytes) return {"GPU", false, "NVIDIA driver loaded, but nvidia-smi does not answer", "nvidia-smi"};
  return {"GPU", true,
          fmt::format("NVIDIA driver loaded, {} on the smallest", format_bytes(static_cast<double>(*bytes))), ""};
}

Finding plugins() {
  std::vector<std::string> problems;
  const auto found = plugin::find_plugins(prepare::plugin_folder(), &problems);
  std::string names;
  for (const plugin::Manifest& m : found) names += (names.empty() ? "" : ", ") + m.name;
  for (const std::string& problem : problems) names += "; " + problem;
  return {"plugins", !found.empty() && problems.empty(),
          fmt::format("{} ({})", names, prepare::plugin_folder().string()),
          "build them with ./quickstart, or set BITSWEEP_PLUGINS"};
}

// `migrate`: an older one is brought forward first, which only a store that may write does.
Finding database(const fs::path& root, bool migrate) {
  if (!store::Store::exists(root)) return {"database", true, fmt::format("none yet in {}", root.string()), ""};
  try {
    const store::Store store(root, migrate ? store::StoreMode::create : store::StoreMode::read_only);
    return {"database", true, store.paths().database().string(), ""};
  } catch (const Error& error) {
    return {"database", false, error.what(), "see the message"};
  }
}

int do_doctor(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("migrate", "bring the root's database forward to this version first, keeping a copy of it")
      .root_option()
      .flag("json", "one JSON document");
  if (!line.parse(args, 0, 0)) return 0;
  const fs::path root = line.root();
  const std::vector<Finding> findings = {
      cpu(), memory(), disk(root), gpu(), worker(), plugins(), database(root, line.has("migrate"))};
  bool all_ok = true;
  json::array list;
  std::string text;
  for (const Finding& f : findings) {
    all_ok &= f.ok;
    list.push_back(json::object{{"what", f.what}, {"ok", f.ok}, {"detail", f.detail}, {"mend", f.ok ? "" : f.mend}});
    text += fmt::format("{:<5}{:<11}{}\n", f.ok ? "ok" : "BAD", f.what, f.detail);
    if (!f.ok) text += fmt::format("{:<16}mend: {}\n", "", f.mend);
  }
  print(line.has("json") ? pretty_json(list) + "\n" : text);
  return all_ok ? 0 : static_cast<int>(ErrorKind::environment);
}

}  // namespace

const Verb kDoctorVerb{"doctor", "Check this machine: processor, memory, disk, GPU, worker, plugins, database",
                       "[--migrate] [--root DIR]", "bitsweep doctor", do_doctor};

}  // namespace bitsweep::cli
