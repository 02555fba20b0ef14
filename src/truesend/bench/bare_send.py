"""The mark for sending: threads that make one call after another with urllib3, and do nothing else.

``python -m truesend.bench.bare_send PORT FIRST CALLS THREADS`` sends the request kept in the file ``FIRST``, byte for
byte, and prints ``{seconds, cpu_ms, p99_ms}``: of all calls, per call, per call.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from pathlib import Path

import urllib3

from truesend.bench.rows import percentile


def main() -> None:
    """Make the calls, print the report."""
    port, first, calls, threads = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    head, _, body = first.read_bytes().partition(b"\r\n\r\n")
    request, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = request.split(" ")
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=threads, block=True)
    numbers = itertools.count()
    times: list[float] = []

    def ask() -> None:
        while next(numbers) < calls:
            began = time.perf_counter()
            answer = pool.request(method, path, body=body, headers=headers, retries=False)
            if answer.status != 200:
                raise RuntimeError(f"the server answered {answer.status}")
            times.append((time.perf_counter() - began) * 1000)

    workers = [threading.Thread(target=ask) for _ in range(threads)]
    began, cpu = time.perf_counter(), time.process_time()
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    seconds = time.perf_counter() - began
    if len(times) != calls:
        raise SystemExit(f"only {len(times)} of {calls} calls were answered")
    report = {
        "seconds": seconds,
        "cpu_ms": (time.process_time() - cpu) * 1000 / calls,
        "p99_ms": percentile(times, 99),
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
