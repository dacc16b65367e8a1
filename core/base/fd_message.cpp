#include "base/fd_message.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep {
namespace {

constexpr size_t kMost_bytes = 64 << 10;
constexpr size_t kMostFiles = 250;  // the system takes 253

struct alignas(cmsghdr) Control {
  char bytes[CMSG_SPACE(sizeof(int) * kMostFiles)] = {};
};

}  // namespace

std::pair<Fd, Fd> message_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error(ErrorKind::environment, fmt::format("cannot make a pair of sockets: {}", std::strerror(errno)));
  return {Fd(ends[0]), Fd(ends[1])};
}

bool send_message(int socket, std::string_view text, std::span<const int> files) {
  if (text.size() > kMost_bytes || files.size() > kMostFiles) return false;
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control;
  if (!files.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(files.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(header), files.data(), files.size_bytes());
  }
  ssize_t sent = 0;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

std::optional<Message> receive_message(int socket) {
  Message received{.text = std::string(kMost_bytes, '\0'), .files = {}};
  iovec part{received.text.data(), received.text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t got = 0;
  do got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  received.text.resize(static_cast<size_t>(got));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(header) + at, sizeof file);
      received.files.emplace_back(file);
    }
  }
  return received;
}

}  // namespace bitsweep
