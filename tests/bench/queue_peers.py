"""The anchors of bench_queue: what others ask for a trial that does nothing. usage: queue_peers.py FOLDER

Optuna with its SQLite storage, in the folder: seconds for each trial of an ask and a tell with no process at all, and
for each value reported in between. task-spooler, when `tsp` is found: seconds for each run of /bin/true, through a
server of its own with one slot.
"""
import json
import os
import shutil
import subprocess
import sys
import time

TRIALS, REPORTS, JOBS = 40, 200, 200


def optuna_times(folder):
    try:
        import optuna
    except ImportError:
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db", sampler=optuna.samplers.RandomSampler(0))
    begun = time.perf_counter()
    for _ in range(TRIALS):
        trial = study.ask()
        trial.suggest_float("lr", 1e-4, 1e-2)
        study.tell(trial, 1.0)
    per_trial = (time.perf_counter() - begun) / TRIALS
    trial = study.ask()
    begun = time.perf_counter()
    for step in range(REPORTS):
        trial.report(1.0, step)
    per_report = (time.perf_counter() - begun) / REPORTS
    study.tell(trial, 1.0)
    return {"optuna": optuna.__version__, "optuna_trial_s": per_trial, "optuna_report_s": per_report}


def spooler_times(folder):
    program = shutil.which("tsp") or shutil.which("ts")
    if not program:
        return {}
    environment = dict(os.environ, TS_SOCKET=f"{folder}/tsp", TMPDIR=folder, TS_MAXFINISHED=str(JOBS))
    begun = time.perf_counter()
    for _ in range(JOBS):
        last = subprocess.run([program, "/bin/true"], env=environment, check=True, capture_output=True, text=True)
    subprocess.run([program, "-w", last.stdout.strip()], env=environment, check=True)
    per_job = (time.perf_counter() - begun) / JOBS
    subprocess.run([program, "-K"], env=environment, check=True)
    return {"spooler_job_s": per_job}


if __name__ == "__main__":
    print(json.dumps({**optuna_times(sys.argv[1]), **spooler_times(sys.argv[1])}))
