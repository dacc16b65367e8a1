"""The anchor of bench_laws: the same objective in SciPy, as papers fit it. usage: scipy_fit.py POINTS.csv

L = E + A/N^alpha + B/D^beta in the log-sum-exp form, the sum of Huber losses (delta 1e-3) of log loss,
L-BFGS-B with the analytic gradient from every start of a grid. A part of the starts and of the resamples is
timed; seconds are for each.
"""
import itertools
import json
import os
import sys
import time

for library in ("OMP", "OPENBLAS", "MKL"):  # threads that wait would be counted, and arrays are small
    os.environ[library + "_NUM_THREADS"] = "1"

import numpy as np
from scipy.optimize import minimize

DELTA = 1e-3
STARTS, RESAMPLES = 90, 40


def objective(theta, log_n, log_d, log_l):
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
    top = terms.max(axis=0)
    shares = np.exp(terms - top)
    total = shares.sum(axis=0)
    residual = top + np.log(total) - log_l
    shares /= total
    size = np.abs(residual)
    value = np.where(size <= DELTA, 0.5 * residual**2, DELTA * (size - 0.5 * DELTA)).sum()
    pull = np.clip(residual, -DELTA, DELTA)
    weighted = shares * pull
    gradient = np.array([weighted[0].sum(), weighted[1].sum(), weighted[2].sum(),
                         -(weighted[0] * log_n).sum(), -(weighted[1] * log_d).sum()])
    return value * 1e3, gradient * 1e3  # tolerances of the method are absolute


def descend(start, data, tolerance=1e-9):
    return minimize(objective, start, args=data, jac=True, method="L-BFGS-B",
                    options={"ftol": tolerance, "gtol": 1e-9, "maxiter": 1000, "maxfun": 5000})


def main(path):
    table = np.genfromtxt(path, delimiter=",", names=True)
    data = np.log(table["params"]), np.log(table["tokens"]), np.log(table["loss"])
    grid = list(itertools.product(range(0, 30, 5), range(0, 30, 5), [-1, -0.5, 0, 0.5, 1], [0, 0.5, 1, 1.5, 2],
                                  [0, 0.5, 1, 1.5, 2]))
    some = [grid[i * len(grid) // STARTS] for i in range(STARTS)]
    begun = time.process_time()
    ends = [descend(np.array(start, float), data) for start in some]
    per_start = (time.process_time() - begun) / STARTS
    best = min(ends, key=lambda end: end.fun)
    for _ in range(20):
        best = min(best, descend(best.x, data, 0), minimize(objective, best.x, args=data, jac=True, method="BFGS",
                                                             options={"gtol": 1e-14}), key=lambda end: end.fun)
    draw = np.random.default_rng(0)
    begun = time.process_time()
    for _ in range(RESAMPLES):
        rows = draw.integers(0, len(data[0]), len(data[0]))
        descend(best.x, tuple(column[rows] for column in data))
    per_resample = (time.process_time() - begun) / RESAMPLES
    json.dump({"seconds_per_start": per_start, "seconds_per_resample": per_resample, "objective": best.fun / 1e3},
              sys.stdout)


main(sys.argv[1])
