// The points that laws are fitted to: one finished run each, numbers only. Who made them (a CSV file, the database)
// does not matter here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bitsweep::fit {

struct Point {
  double params = 0;            // trainable parameters, embeddings included
  double tokens = 0;            // tokens seen in training
  double loss = 0;              // final validation loss; one unit within a fit (bits per byte, or nats per token)
  double flops = 0;             // of its training, as measured or planned; 0: not known
  double unique_tokens = 0;     // tokens of the training set; 0: not known
  std::string variant;          // plugin, or "" for all the same
  std::string dataset;          // corpus, or "" for all the same
  std::optional<int64_t> seed;  // runs that differ in nothing else are one group
  std::string run;              // id, or "" for none
  double params_nonembedding = 0;  // of `params`, those outside of the embeddings; 0: not known
  double best_loss = 0;            // the lowest of the run, where `loss` is its last; 0: not known
  double lr_area = 0;           // of a checkpoint: S1 and S2 of its learning-rate schedule (curve.h); 0: not known
  double annealing = 0;
  // Of a run of which a file tells the course: how many checkpoints this point stands for. 0: no course is known.
  int64_t checkpoints = 0;
  bool within_run = false;  // one of several points of `run`, which resamples draw whole
};

// FLOPs of the point's training: its own, else 6 N D (Kaplan et al. 2020); an axis that is not there counts as 1.
double compute_of(const Point& point);

// A place where a prediction is wanted.
struct Target {
  double params = 0;  // 0: the law does not need it
  double tokens = 0;
  std::string variant;
  std::string dataset;
  double unique_tokens = 0;  // 0: as many as tokens, each seen once
  double lr_area = 0;
  double annealing = 0;
};

// "params=300M,tokens=1B" (unique_tokens=, lr_area=, annealing=, variant= and dataset= too). Throws Error{input} naming
// `name_for_message` and what is wrong.
Target parse_target(const std::string& text, const std::string& name_for_message);

// The target as a point, with a loss of 1; what is not given of it, and no law needs then, is 1 too.
Point point_at(const Target& target);

// Without the `count` points of the highest loss; of equal ones the later go first.
std::vector<Point> without_largest_losses(std::vector<Point> points, int count);

// What looks like another unit than the one meant, a sentence each: counts in millions, losses below what any text
// needs or above what guessing costs. Nothing is changed.
std::vector<std::string> implausible_magnitudes(const std::vector<Point>& points);

// Every so many configurations by compute, with all their seeds, so that at most `configurations` remain.
std::vector<Point> thinned(const std::vector<Point>& points, size_t configurations);

// Whether two points agree in everything but loss, seed and run.
bool same_configuration(const Point& a, const Point& b);

// For each point the number of its group: points that agree in everything but loss, seed and run are one group.
// Groups are numbered 0, 1, … in order of first appearance.
std::vector<int> group_by_configuration(const std::vector<Point>& points);

// Runs and their checkpoints behind points: where the course of a run is known, the checkpoints of all of them.
struct CheckpointCount {
  int64_t runs = 0, checkpoints = 0;
};
CheckpointCount count_checkpoints(const std::vector<Point>& points);

// "6.8B parameters and 245M tokens"; "" without either.
std::string place_name(double params, double tokens);

}  // namespace bitsweep::fit
