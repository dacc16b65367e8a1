// One message with open files between two processes of a machine, over a socket pair.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace bitsweep {

// Two ends that keep messages apart and notice when the other one is closed. Throws Error{environment}.
std::pair<Fd, Fd> message_sockets();

// At most 64 KiB and 250 files. False: it is longer, or nobody will read it; never a signal, never half a message.
bool send_message(int socket, std::string_view text, std::span<const int> files);

struct Message {
  std::string text;
  std::vector<Fd> files;  // inherited by no program that is executed
};
// Waits for one. Nothing when the other end is closed.
std::optional<Message> receive_message(int socket);

}  // namespace bitsweep
