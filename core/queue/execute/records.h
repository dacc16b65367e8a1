// The files that an attempt's folder speaks with: intent.json, process.json, exit.json.
#pragma once

#include <optional>

#include "execute/executor.h"

namespace bitsweep::execute {

// What the shim is to do.
struct Intent {
  std::string run;
  int64_t attempt = 0;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::vector<int> cpus = {};  // that the worker is put on; empty: any
};

// Who is doing it.
struct ProcessRecord {
  ProcessIdentity shim, worker;
};

// All are whole or not there, for every process of this machine. Not forced to the disk: after a crash of the machine
// nothing of an attempt is alive, its boot id says so, and a run without a record goes on from its last checkpoint.
void write_intent(const fs::path& attempt_folder, const Intent& intent);
void write_process(const fs::path& attempt_folder, const ProcessRecord& record);
void write_exit(const fs::path& attempt_folder, const ExitRecord& exit);
void write_visible(const fs::path& file, std::string_view text);
// Now events and exit record are durable as well. Never throws: they are whole already, and the database takes them
// beside this.
void sync_evidence(const fs::path& attempt_folder);

// Nothing when the file is missing or is not what was written.
std::optional<Intent> read_intent(const fs::path& attempt_folder);
std::optional<ProcessRecord> read_process(const fs::path& attempt_folder);
std::optional<ExitRecord> read_exit(const fs::path& attempt_folder);

}  // namespace bitsweep::execute
