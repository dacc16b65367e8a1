// A disk that is full: a small tmpfs where mounting is permitted, otherwise the same error from a page limit.
#include <fstream>

#include <sys/mount.h>

#include "store_fixture.h"

namespace bitsweep::store {
namespace {

// Fills the store's events until the disk refuses; how many batches went in.
int64_t fill(Store& store, const std::string& run, std::string* refusal) {
  const std::string ballast(20'000, 'x');
  for (int64_t seq = 1; seq < 2000; ++seq) {
    const std::vector<event::Event> events = {event_of(run, 1, seq, "note", seq, {{"ballast", ballast}})};
    const Store::Batch batch{run, 1, events, static_cast<uint64_t>(seq), 1};
    try {
      store.ingest({&batch, 1});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
      *refusal = error.what();
      return seq - 1;
    }
  }
  return -1;
}

TEST(FullDisk, ATmpfsThatIsFull) {
  const fs::path folder = fresh_folder("mount");
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  struct Unmount {
    fs::path folder;
    ~Unmount() { ::umount2(folder.c_str(), MNT_DETACH); }
  } unmount{folder};
  Store store(folder / "root", StoreMode::create);
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  store.claim("aaaaaaaaaaaa", "cpu", 1, 1);
  std::string refusal;
  const int64_t stored = fill(store, "aaaaaaaaaaaa", &refusal);
  ASSERT_GT(stored, 0);
  EXPECT_NE(refusal.find("disk is full"), std::string::npos) << refusal;
  // What was committed is there, with its offset; nothing of what was refused is.
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM events"), stored);
  EXPECT_EQ(store.attempt("aaaaaaaaaaaa", 1)->events_offset, static_cast<uint64_t>(stored));
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

TEST(FullDisk, ThereIsRoomAgain) {
  Store store(fresh_folder("root"), StoreMode::create);
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  store.claim("aaaaaaaaaaaa", "cpu", 1, 1);
  store.database().execute("PRAGMA max_page_count = 100");
  std::string refusal;
  const int64_t stored = fill(store, "aaaaaaaaaaaa", &refusal);
  ASSERT_GT(stored, 0);
  EXPECT_NE(refusal.find("disk is full"), std::string::npos) << refusal;
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM events"), stored);
  store.database().execute("PRAGMA max_page_count = 1000000");
  const std::vector<event::Event> events = {eval_of("aaaaaaaaaaaa", 1, stored + 1, 10, 2.0)};
  const Store::Batch batch{"aaaaaaaaaaaa", 1, events, 9, 1};
  EXPECT_EQ(store.ingest({&batch, 1}).stored, 1);
}

TEST(FullDisk, ARootThatCannotBeMade) {
  const fs::path folder = fresh_folder("d");
  std::ofstream(folder / "file") << "x";
  const Error error = error_of([&] { Store store(folder / "file" / "root", StoreMode::create); });
  EXPECT_EQ(error.exit_code(), 3);
  EXPECT_NE(std::string(error.what()).find("file"), std::string::npos);
}

TEST(FullDisk, AReadOnlyFilesystem) {
  const fs::path folder = fresh_folder("mount");
  if (::mount("tmpfs", folder.c_str(), "tmpfs", MS_RDONLY, "size=1m") != 0)
    GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  const Error error = error_of([&] { Store store(folder / "root", StoreMode::create); });
  EXPECT_EQ(error.exit_code(), 3);
  ::umount2(folder.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace bitsweep::store
