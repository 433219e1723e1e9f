"""What llmdash counts of itself for a Prometheus: all names stand here, and each is counted where it happens."""

import threading

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# ---- Each process
READ_ONLY = Gauge("llmdash_database_read_only", "1 while the database takes nothing.", multiprocess_mode="livemax")

# ---- The web
REQUESTS = Counter("llmdash_web_requests", "Requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "llmdash_web_request_duration_seconds", "Time until an answer began.", ["route", "method"], buckets=SECONDS
)
SHARED = Counter("llmdash_web_tables_shared", "Live tables that were drawn for another who asked at the same time.")
STREAMS = Gauge("llmdash_web_open_streams", "Pages that follow the event stream.", multiprocess_mode="livesum")

# ---- The worker
CLAIMED = Counter("llmdash_worker_rows_claimed", "Rows taken to be worked on.")
APPLIED = Counter("llmdash_worker_rows_applied", "Rows whose newest revision was applied.")
RECHECKED = Counter("llmdash_worker_rows_rechecked", "Rows put off since all their objects stand as they were left.")
FAILED = Counter("llmdash_worker_rows_failed", "Rows given back with a problem.", ["problem"])
ROW_SECONDS = Histogram("llmdash_worker_row_duration_seconds", "Time spent on one claimed row.", buckets=SECONDS)
ROWS_DUE = "llmdash_worker_rows_due"  # counted when asked for

# ---- The watcher
CLUSTERS = Gauge("llmdash_watcher_clusters", "Clusters watched by this process.", ["connection"])
PROOF_AGE = Gauge("llmdash_watcher_proof_age_seconds", "Since the slowest feed proved that it lives.", ["cluster"])
QUEUE = Gauge("llmdash_watcher_queue", "Deployments that wait to be judged.", ["cluster"])
EVENTS = Counter("llmdash_watcher_events", "Changes that the feeds brought.", ["kind"])
WRITTEN = Counter("llmdash_watcher_rows_written", "Rows of what was seen that differed and were written.", ["table"])

# ---- Loops
BEAT = Gauge(
    "llmdash_loop_beat_timestamp_seconds", "When a loop last came round; 0 while it rests.", ["loop"],
    multiprocess_mode="liveall",
)  # fmt: skip


def beat(loop: str = "") -> None:
    """A loop, by default this thread's, goes on. One that then says nothing for long is stuck."""
    BEAT.labels(loop or threading.current_thread().name).set_to_current_time()


def rest(loop: str = "") -> None:
    """A loop has ended, or waits for work for as long as it takes."""
    BEAT.labels(loop or threading.current_thread().name).set(0)
