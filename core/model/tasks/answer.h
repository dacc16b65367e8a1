// What a model said to the questions of a task, and the file that keeps it: answers-NAME-STEP.jsonl in the attempt's
// folder. Its first line is about all of them, each further one a question:
//   {"answers": "squad", "run": ID, "step": 400, "task": {…}, "metrics": {"squad.em": 0.5, …}, "notes": […],
//    "first_prompt": "all that was read before the first answer", "left_out": []}
//   {"item": "56be…", "asked": "Who …?", "prompt_sha256": "…", "said": "Denver", "gold": ["Denver Broncos"], "right":
//   …}
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "spec/task_spec.h"

namespace bitsweep::tasks {

struct Answer {
  std::string item, asked;
  std::string prompt_sha256;             // of all that was read: 16 hex digits
  std::string said;                      // the likeliest choice, the reply; of a continuation what would have been said
  std::vector<std::string> gold;         // right answers; none: an empty reply is right
  bool right = false;                    // by acc, or em
  std::map<std::string, double> scores;  // acc, f1 …: what the task's metrics are the means of
  std::vector<double> log_likelihoods;   // in nats, of each continuation
};

struct AnswerFile {
  std::string run;
  int64_t step = 0;
  spec::TaskSpec task;
  std::map<std::string, double> metrics;
  std::vector<std::string> notes;
  std::string first_prompt;           // of the first question, with its examples, before any cut; "" in files of old
  std::vector<std::string> left_out;  // ids of questions that are not scored, since an answer is too long
  std::vector<Answer> answers;
};

std::string answer_file_name(const std::string& task, int64_t step);
std::string answer_lines(const AnswerFile& file);
// Throws Error{input} naming file and line for what answer_lines did not write.
AnswerFile read_answers(const fs::path& path);

struct AnswerPlace {
  fs::path path;
  std::string task;
  int64_t attempt = 0, step = 0;
};
// Of every attempt-K below a run's folder, the latest attempt and step last.
std::vector<AnswerPlace> answer_files(const fs::path& run_folder);

}  // namespace bitsweep::tasks
