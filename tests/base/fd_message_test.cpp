#include "base/fd_message.h"

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bitsweep {
namespace {

TEST(FdMessage, WordsAndFilesArriveTogether) {
  const auto [a, b] = message_sockets();
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const Fd reads(pipe[0]);
  {
    const Fd writes(pipe[1]);
    ASSERT_TRUE(send_message(a.get(), "take this", std::array{writes.get()}));
    ASSERT_TRUE(send_message(a.get(), "and this", {}));
  }
  {
    const auto first = receive_message(b.get());
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->text, "take this");
    ASSERT_EQ(first->files.size(), 1u);
    EXPECT_NE(::fcntl(first->files[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(::write(first->files[0].get(), "x", 1), 1) << "it is the end of the pipe that was closed here";
  }
  EXPECT_EQ(receive_message(b.get())->text, "and this");
  char byte = 0;
  EXPECT_EQ(::read(reads.get(), &byte, 1), 1);
}

TEST(FdMessage, AClosedEndIsSaidOnBothSides) {
  auto [a, b] = message_sockets();
  EXPECT_TRUE(send_message(a.get(), "last", {}));
  a.reset();
  EXPECT_EQ(receive_message(b.get())->text, "last");
  EXPECT_FALSE(receive_message(b.get()).has_value());
  EXPECT_FALSE(send_message(b.get(), "anyone?", {})) << "and no signal";
}

TEST(FdMessage, WhatIsTooLongIsNotSent) {
  const auto [a, b] = message_sockets();
  EXPECT_TRUE(send_message(a.get(), std::string(64 << 10, 'x'), {}));
  EXPECT_EQ(receive_message(b.get())->text.size(), size_t{64} << 10);
  EXPECT_FALSE(send_message(a.get(), std::string((64 << 10) + 1, 'x'), {}));
  EXPECT_FALSE(send_message(a.get(), "x", std::vector<int>(251, 0)));
}

}  // namespace
}  // namespace bitsweep
