#include "prepare/ask_worker.h"

#include <fmt/format.h>

#include "base/error.h"
#include "execute/capture.h"
#include "execute/local.h"

namespace bitsweep::prepare {
namespace {

constexpr double kAnswerTimeout_s = 24 * 3600;  // a large model on a slow machine

}  // namespace

json::object ask_worker(const coordinate::WorkOptions& work, const std::string& verb, const fs::path& spec,
                        const fs::path& cache, const std::vector<std::string>& extra) {
  const std::string& device = work.devices.at(0).name;
  std::vector<std::string> command = execute::slot_command(device, work.threads);
  command.insert(command.end(), {work.worker_program.string(), verb, "--spec", spec.string(), "--device",
                                 device == "cpu" ? "cpu" : "cuda:0", "--threads", std::to_string(work.threads),
                                 "--cache", cache.string(), "--plugin-dir", work.plugin_folder.string()});
  command.insert(command.end(), extra.begin(), extra.end());
  const execute::Captured said = execute::capture(command, "", kAnswerTimeout_s);
  const auto answer = try_parse_json(said.out);
  if (said.ok() && answer && answer->is_object()) return answer->get_object();
  const std::string why = complaint_of(said.err);
  const bool told = said.exit_code == static_cast<int>(ErrorKind::input) ||
                    said.exit_code == static_cast<int>(ErrorKind::environment);
  if (told) throw Error(static_cast<ErrorKind>(said.exit_code), why);
  throw Error(ErrorKind::failed, fmt::format("'bitsweep-worker {}' {}: {}", verb, said.ending(), why));
}

std::string complaint_of(std::string_view err) {
  while (err.ends_with('\n') || err.ends_with(' ')) err.remove_suffix(1);
  constexpr std::string_view kName = "bitsweep-worker: ";
  if (const size_t place = err.rfind(kName); place != std::string_view::npos)
    return std::string(err.substr(place + kName.size()));
  return std::string(err.substr(err.rfind('\n') + 1));
}

}  // namespace bitsweep::prepare
