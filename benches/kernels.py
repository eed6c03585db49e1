"""Times TA-Lib on closes from standard input: how many nanoseconds each asked-for series took."""

import sys
import time

import numpy
import talib

CLOSES = 1_000_000
SERIES = {
    "rsi": talib.RSI,
    "moving-average-price": talib.SMA,
    "stdev-price": talib.STDDEV,
}

closes = numpy.frombuffer(sys.stdin.buffer.read(8 * CLOSES), dtype="<f8").astype(float)
print(len(closes), flush=True)
for line in sys.stdin.buffer:
    name, window = line.decode().split()
    start = time.perf_counter_ns()
    SERIES[name](closes, int(window))
    print(time.perf_counter_ns() - start, flush=True)
