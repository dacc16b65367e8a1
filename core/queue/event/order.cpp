#include "event/order.h"

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd_message.h"
#include "base/json.h"

namespace bitsweep::event {

bool send_order(int socket, std::span<const std::string> command, int lock, int log) {
  const std::string words = json::serialize(json::array(command.begin(), command.end()));
  return send_message(socket, words, std::array{lock, log});
}

std::optional<std::vector<std::string>> await_order() {
  if (!send_message(STDIN_FILENO, "ready", {})) return std::nullopt;
  auto order = receive_message(STDIN_FILENO);
  const auto words = order ? try_parse_json(order->text) : std::nullopt;
  if (!words || !words->is_array() || order->files.size() != 2) return std::nullopt;
  std::vector<std::string> command;
  for (const json::value& word : words->get_array())
    if (word.is_string()) command.emplace_back(word.get_string());
  ::fcntl(order->files[0].release(), F_SETFD, 0);  // held by this process and all that it starts
  ::dup2(order->files[1].get(), STDOUT_FILENO);
  ::dup2(order->files[1].get(), STDERR_FILENO);
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
  return command;
}

}  // namespace bitsweep::event
