"""Indicators of every close of some price files, by TA-Lib and numpy: one JSON line per series."""

import csv
import json
import math
import sys

import numpy
import talib
from numpy.lib.stride_tricks import sliding_window_view

# TA-Lib sums squares as it goes and loses the last digits of calm prices.
EXACT, SUMMED = 1e-9, 1e-6


def talib_series(closes, window):
    talib.set_compatibility(0)
    yield "moving-average-price", EXACT, talib.SMA(closes, window)
    # The first averages of moves are their means over the first window.
    yield "rsi", EXACT, talib.RSI(closes, window)
    # TA-Lib divides by the window, a sample deviation by one less.
    sample = math.sqrt(window / (window - 1))
    yield "stdev-price", SUMMED, talib.STDDEV(closes, window) * sample
    # In this mode an exponential average starts at the first close.
    talib.set_compatibility(1)
    yield "exponential-moving-average-price", EXACT, talib.EMA(closes, window)


def numpy_series(closes, window):
    prices = sliding_window_view(closes, window)
    returns = sliding_window_view(closes[1:] / closes[:-1] - 1, window)
    falls = 1 - prices / numpy.maximum.accumulate(prices, axis=1)
    for name, unfilled, values in [
        ("stdev-price", window - 1, prices.std(axis=1, ddof=1)),
        ("stdev-return", window, returns.std(axis=1, ddof=1) * 100),
        ("moving-average-return", window, returns.mean(axis=1) * 100),
        ("cumulative-return", window, (closes[window:] / closes[:-window] - 1) * 100),
        ("max-drawdown", window - 1, falls.max(axis=1) * 100),
    ]:
        yield name, EXACT, numpy.concatenate([numpy.full(unfilled, math.nan), values])


folder, symbols, windows = sys.argv[1:]
for symbol in symbols.split(","):
    with open(f"{folder}/{symbol}.csv", newline="") as file:
        closes = numpy.array([float(row["close"]) for row in csv.DictReader(file)])
    for window in map(int, windows.split(",")):
        for kind in [talib_series, numpy_series]:
            for name, tolerance, values in kind(closes, window):
                values = [None if math.isnan(value) else value for value in values.tolist()]
                line = {"fn": name, "window": window, "tolerance": tolerance, "values": values}
                print(json.dumps({"symbol": symbol} | line))
