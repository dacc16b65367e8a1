// A program that can wait for its run, as bitsweep-worker can: says by its output whether it did, and who its lock and
// its processors are. Its second word tells what is to happen: go | fail:N | hang.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sched.h>
#include <unistd.h>

#include "event/order.h"

int main(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  const bool warm = argc == 2 && words[1] == "warm";
  if (warm) {
    if (std::getenv("WARM_FAILS") != nullptr) return 2;
    const auto told = bitsweep::event::await_order();
    if (!told) return 0;
    words = *told;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::printf("%s pid %d cpus %d\n", warm ? "warm" : "cold", ::getpid(), CPU_COUNT(&set));
  std::fflush(stdout);
  const std::string act = words.size() > 1 ? words[1] : "";
  if (act == "hang") ::sleep(60);
  return act.starts_with("fail:") ? std::atoi(act.c_str() + 5) : 0;
}
